# What the processor executes in a round trip: the target `hotpaths` writes
# build/<preset>/hotpath/<backend>-<compiler>.md for all backends, hotpath-<backend> for one. They are
# made from the objects of the scenario `yield` that go into the bench programs.
function(cb_add_hotpaths)
    if(NOT "yield" IN_LIST CB_BUILT_SCENARIOS)
        return()
    endif()
    add_custom_target(hotpaths)
    foreach(backend IN LISTS CB_BUILT_BACKENDS)
        set(units "bench-${backend}-units")
        if(NOT TARGET ${units})
            continue()
        endif()
        set(objects "$<TARGET_OBJECTS:${units}>")
        set(out "${CMAKE_BINARY_DIR}/hotpath/${backend}-${CB_COMPILER}.md")
        add_custom_command(OUTPUT "${out}"
            COMMAND "${CMAKE_SOURCE_DIR}/cmake/hotpath.sh" "${out}" "${CMAKE_SOURCE_DIR}"
                "${backend}" "${CB_COMPILER}"
                "$<FILTER:${objects},INCLUDE,yield_opaque-opaque-loop>"
                "$<FILTER:${objects},INCLUDE,yield_opaque-opaque-bodies>"
                "$<FILTER:${objects},INCLUDE,runtime-2>"
            DEPENDS ${objects} "${CMAKE_SOURCE_DIR}/cmake/hotpath.sh"
            COMMENT "Disassembling the round trip of ${backend}" COMMAND_EXPAND_LISTS VERBATIM)
        add_custom_target(hotpath-${backend} DEPENDS "${out}")
        add_dependencies(hotpaths hotpath-${backend})
    endforeach()
    file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/hotpath")
endfunction()
