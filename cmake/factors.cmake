# A bench program of every combination of the choices in impls/common/factors: what makes fibers
# differ. The target `factors` makes build/<preset>/factors/factors-<letters>-<compiler>, where no
# run looks for programs; scripts/factors measures them. An o instead of a letter is a choice that is
# off:
#
#   c called  r ret  f floating-point words  s state words  m signal mask  a aligned tops
#
# The conformance kit tries the two ends, all on and all off.
set(CB_FACTORS common/factors)
set(CB_FACTOR_LETTERS c r f s m a)
set(CB_FACTOR_MACROS CALLED RET FP STATE MASK ALIGNED)
set(CB_FACTOR_COMBINATIONS 64)

# Sets <letters> and <definitions> of combination number <bits>.
function(cb_factor_names letters definitions bits)
    set(text "")
    set(macros "")
    foreach(letter macro IN ZIP_LISTS CB_FACTOR_LETTERS CB_FACTOR_MACROS)
        math(EXPR chosen "${bits} & 1")
        math(EXPR bits "${bits} >> 1")
        if(chosen)
            string(APPEND text "${letter}")
        else()
            string(APPEND text "o")
        endif()
        list(APPEND macros "CO_FACTOR_${macro}=${chosen}")
    endforeach()
    set(${letters} "${text}" PARENT_SCOPE)
    set(${definitions} "${macros}" PARENT_SCOPE)
endfunction()

function(cb_add_factors)
    if(NOT CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64" OR CB_CHECKED OR CB_SANITIZE
            OR NOT "yield" IN_LIST CB_BUILT_SCENARIOS OR NOT "live" IN_LIST CB_BUILT_SCENARIOS)
        return()
    endif()
    cb_read_backend("${CB_FACTORS}")
    set(CB_BINDINGS opaque)
    add_custom_target(factors)
    set(bits 0)
    while(bits LESS CB_FACTOR_COMBINATIONS)
        cb_factor_names(letters definitions ${bits})
        set(name "factors-${letters}")
        set(program "bench-factors-${bits}")
        set(names DIRECTORY "${CMAKE_BINARY_DIR}/factors" OUTPUT "${name}-${CB_COMPILER}")
        cb_add_bench_units(${program}-units BACKEND "${CB_FACTORS}" ${names}
            SCENARIOS yield live)
        cb_link_bench_program(${program} ${program}-units ${names})
        foreach(target ${program}-units ${program}-units-runtime ${program}-units-bodies ${program})
            target_compile_definitions(${target} PRIVATE ${definitions}
                "CO_FACTORS_NAME=\"${name}\"")
        endforeach()
        foreach(target ${program} ${program}-units ${program}-units-runtime
                ${program}-units-bodies ${program}-units-library)
            set_target_properties(${target} PROPERTIES EXCLUDE_FROM_ALL ON)
        endforeach()
        add_dependencies(factors ${program})
        math(EXPR bits "${bits} + 1")
    endwhile()
endfunction()
