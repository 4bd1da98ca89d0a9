# build/<preset>/share: the data files, claims and gnuplot scripts that corobench reads at run time.

file(GLOB cb_share_files CONFIGURE_DEPENDS
    "${CMAKE_SOURCE_DIR}/harness/data/*.json" "${CMAKE_SOURCE_DIR}/harness/data/report.*" "${CMAKE_SOURCE_DIR}/scripts/*.gp")
set(cb_share_copies "")
file(GLOB cb_share_claims CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/claims/*.json")
foreach(file IN LISTS cb_share_files cb_share_claims)
    get_filename_component(name "${file}" NAME)
    if(file IN_LIST cb_share_claims)
        set(name "claims/${name}")
    endif()
    set(copy "${CMAKE_BINARY_DIR}/share/${name}")
    add_custom_command(OUTPUT "${copy}"
        COMMAND "${CMAKE_COMMAND}" -E copy "${file}" "${copy}"
        DEPENDS "${file}" VERBATIM)
    list(APPEND cb_share_copies "${copy}")
endforeach()
add_custom_target(cb_share ALL DEPENDS ${cb_share_copies})
if(TARGET corobench)
    add_dependencies(corobench cb_share)
endif()

# What was removed from the tree must not be read from an old build.
file(GLOB cb_share_old LIST_DIRECTORIES false
    "${CMAKE_BINARY_DIR}/share/*" "${CMAKE_BINARY_DIR}/share/claims/*")
foreach(file IN LISTS cb_share_old)
    if(NOT file IN_LIST cb_share_copies)
        file(REMOVE "${file}")
    endif()
endforeach()
