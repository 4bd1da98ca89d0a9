# How a backend and the scenarios become a program.
#
# Nothing is listed here: a backend is a folder with impls/X/backend.h, a scenario is a file
# scenarios/S/S.c. Each program is made of units: generated files of a few lines that set the
# macros of harness/include/corobench/coro.h and include one source. For a bench program:
#
#   unit                    CO_BINDING  bodies  loop   goes into
#   S, visible                   1        1      1     the program
#   S, opaque: bodies, loop      2       1, 0   0, 1   the program, as two units
#   S, library: bodies           3        1      0     the shared object
#   S, library: loop             3        0      1     the program
#   runtime (CO_RUNTIME)       2 and 3                 the program and the shared object
#   describe, registry           2                     the program
#
# A backend's own impls/X/backend.cmake is optional. It may set
#
#   CB_LANGUAGE         C (default) or CXX: the language that its units are compiled as
#   CB_FLAGS            compile options of every unit of this backend
#   CB_FLAGS_GNU, CB_FLAGS_Clang     the same for one compiler
#   CB_SOURCES          more files (.c, .cc, .S) for the program and for the shared object
#   CB_LIBS             what to link
#   CB_LINK_FLAGS       link options of every program and shared object with this backend
#   CB_LAUNCHER         a command that runs the compiler given as its arguments, for C, and may look
#                       at what it writes or add to it
#   CB_UNAVAILABLE      why it can't be built here: it is then listed as unavailable
#   CB_UNCHECKED        which of asan, tsan, valgrind, backtrace cannot follow this technique; its
#                       README says why
#
# and may read CB_ARCH, CB_COMPILER (gcc, clang), CB_BACKEND_DIR, CB_COMMON_DIR. cb_require_switch()
# is for whoever needs impls/common/switch/<arch>.h.
#
# For tests, some functions:
#
#   cb_add_backend_program(<target> BACKEND <name> [CHECKED 0|1] [DIRECTORY <dir>] [OUTPUT <name>]
#                          [LIBRARY] [OBJECTS])
#       An executable with the backend's runtime and flags, without a main. LIBRARY also makes the
#       target <target>-library, a shared object that holds the runtime of the library binding.
#       OBJECTS makes an object library instead, to link into several executables beside
#       <target>-library.
#   cb_add_backend_unit(<target> SOURCE <file> BINDING visible|opaque|library UNIT <prefix>
#                       [PART bodies|loop] [DEFINES <NAME=value>...])
#       Compiles a file written like a scenario into that program: the units that the table above
#       shows for this binding, or with PART one of them only. UNIT becomes CO_UNIT.
#   cb_add_backend_object(<target> BACKEND <name> SOURCE <file> [CHECKED 0|1])
#       An object library of one file that includes <backend.h>, bodies and loops apart.
#   cb_backends_for_tests(<variable>)
#       The names of all backends that can be built here, and of the template.
#
#   cb_add_bench_units(<units> BACKEND <name> DIRECTORY <dir> OUTPUT <name> SCENARIOS <id>...)
#       The object library <units>: all of a bench program but main and describe, that is runtime,
#       scenarios in all bindings, registry. <units>-runtime and <units>-bodies go into its shared
#       object <units>-library. Each preset has bench-<backend>-units for all those backends.
#   cb_link_bench_program(<target> <units> DIRECTORY <dir> OUTPUT <name> [LINK <number>])
#       A bench program of these units.
#
# Example:
#   cb_add_backend_program(probe BACKEND fiber-full CHECKED 1 LIBRARY)
#   cb_add_backend_unit(probe SOURCE ${CMAKE_CURRENT_SOURCE_DIR}/bodies.c BINDING library UNIT probe)
#   target_sources(probe PRIVATE main.c)
#   target_link_libraries(probe PRIVATE PkgConfig::CMOCKA)

set(CB_ARCH "${CMAKE_SYSTEM_PROCESSOR}" CACHE STRING "Names the file impls/common/switch/<arch>.h")
set(CB_COMMON_DIR "${CMAKE_SOURCE_DIR}/impls/common")
set(CB_BENCH_DIR "${CMAKE_BINARY_DIR}/bench")
set(CB_TEMPLATE _template)
# The one of binutils, also beside clang: what reads its output knows its form, not LLVM's.
find_program(CB_OBJDUMP objdump)
if(NOT CB_OBJDUMP)
    message(FATAL_ERROR "objdump is missing; install it: apt-get install binutils")
endif()

# ---- The harness's own libraries ----------------------------------------------------------------

# cb_add_core(<name> GLOBS <glob>... [EXCEPT <file name>...] [LIBS <library>...])
# A static library of what the globs find; an interface library while they find nothing.
function(cb_add_core name)
    cmake_parse_arguments(arg "" "" "GLOBS;EXCEPT;LIBS" ${ARGN})
    list(TRANSFORM arg_GLOBS PREPEND "${CMAKE_SOURCE_DIR}/")
    file(GLOB sources CONFIGURE_DEPENDS ${arg_GLOBS})
    foreach(file IN LISTS arg_EXCEPT)
        list(FILTER sources EXCLUDE REGEX "/${file}$")
    endforeach()
    set(scope PUBLIC)
    if(sources)
        add_library(${name} STATIC ${sources})
        list(GET sources 0 first)
        get_filename_component(folder "${first}" DIRECTORY)
    else()
        message(WARNING "${name} has no source yet (${arg_GLOBS})")
        set(scope INTERFACE)
        add_library(${name} INTERFACE)
        list(GET arg_GLOBS 0 first)
        get_filename_component(folder "${first}" DIRECTORY)
    endif()
    target_include_directories(${name} ${scope} "${CMAKE_SOURCE_DIR}/harness/include" "${folder}"
        "${CMAKE_SOURCE_DIR}/harness")
    target_link_libraries(${name} ${scope} ${arg_LIBS})
endfunction()

# ---- Finding ------------------------------------------------------------------------------------

# Whether any of the globs (* and ?) matches the text; no glob at all matches everything.
function(cb_matches out text)
    set(${out} FALSE PARENT_SCOPE)
    if(NOT ARGN)
        set(${out} TRUE PARENT_SCOPE)
    endif()
    foreach(glob IN LISTS ARGN)
        string(REGEX REPLACE "([][+.^$()|\\{}])" "\\\\\\1" pattern "${glob}")
        string(REPLACE "*" ".*" pattern "${pattern}")
        string(REPLACE "?" "." pattern "${pattern}")
        if(text MATCHES "^${pattern}$")
            set(${out} TRUE PARENT_SCOPE)
        endif()
    endforeach()
endfunction()

# Sets CB_ALL_SCENARIOS and, by CB_SCENARIOS, CB_BUILT_SCENARIOS: names, sorted.
function(cb_find_scenarios)
    file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/scenarios/*/*.c")
    set(all "")
    set(built "")
    foreach(source IN LISTS sources)
        get_filename_component(folder "${source}" DIRECTORY)
        get_filename_component(folder "${folder}" NAME)
        get_filename_component(name "${source}" NAME_WE)
        if(NOT folder STREQUAL name)
            continue()
        endif()
        if(NOT name MATCHES "^[a-z][a-z0-9-]*$")
            message(FATAL_ERROR "scenarios/${name}: a scenario's name is made of a-z, 0-9 and -")
        endif()
        list(APPEND all "${name}")
        cb_matches(wanted "${name}" ${CB_SCENARIOS})
        if(wanted)
            list(APPEND built "${name}")
        endif()
    endforeach()
    set(CB_ALL_SCENARIOS "${all}" PARENT_SCOPE)
    set(CB_BUILT_SCENARIOS "${built}" PARENT_SCOPE)
endfunction()

# Sets CB_ALL_BACKENDS (all folders) and, by CB_BACKENDS, CB_BUILT_BACKENDS; reads each one's
# backend.cmake into global properties.
function(cb_find_backends)
    file(GLOB headers CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/impls/*/backend.h")
    set(all "")
    set(built "")
    foreach(header IN LISTS headers)
        get_filename_component(folder "${header}" DIRECTORY)
        get_filename_component(name "${folder}" NAME)
        if(name STREQUAL "common")
            continue()
        endif()
        cb_read_backend("${name}")
        if(name STREQUAL CB_TEMPLATE)
            continue()
        endif()
        if(NOT name MATCHES "^[a-z][a-z0-9-]*$")
            message(FATAL_ERROR "impls/${name}: a backend's name is made of a-z, 0-9 and -")
        endif()
        list(APPEND all "${name}")
        cb_matches(wanted "${name}" ${CB_BACKENDS})
        if(wanted)
            list(APPEND built "${name}")
        endif()
    endforeach()
    set(CB_ALL_BACKENDS "${all}" PARENT_SCOPE)
    set(CB_BUILT_BACKENDS "${built}" PARENT_SCOPE)
endfunction()

# For backend.cmake: the fibers' machine-dependent part is one file an architecture.
macro(cb_require_switch)
    if(NOT EXISTS "${CB_COMMON_DIR}/switch/${CB_ARCH}.h")
        set(CB_UNAVAILABLE "no stack switch for ${CB_ARCH}: impls/common/switch/${CB_ARCH}.h")
    endif()
endmacro()

function(cb_read_backend name)
    set(CB_BACKEND_DIR "${CMAKE_SOURCE_DIR}/impls/${name}")
    set(CB_LANGUAGE C)
    foreach(key FLAGS FLAGS_GNU FLAGS_Clang SOURCES LIBS LINK_FLAGS LAUNCHER UNAVAILABLE UNCHECKED)
        set(CB_${key} "")
    endforeach()
    include("${CB_BACKEND_DIR}/backend.cmake" OPTIONAL)
    if(NOT CB_LANGUAGE MATCHES "^(C|CXX)$")
        message(FATAL_ERROR "impls/${name}/backend.cmake: CB_LANGUAGE is ${CB_LANGUAGE}; "
            "it must be C or CXX")
    endif()
    list(APPEND CB_FLAGS ${CB_FLAGS_${CMAKE_C_COMPILER_ID}})
    set(sources "")
    foreach(source IN LISTS CB_SOURCES)
        get_filename_component(source "${source}" ABSOLUTE BASE_DIR "${CB_BACKEND_DIR}")
        if(source MATCHES "\\.S$")
            enable_language(ASM)
        endif()
        list(APPEND sources "${source}")
    endforeach()
    set(CB_SOURCES "${sources}")
    foreach(key LANGUAGE FLAGS SOURCES LIBS LINK_FLAGS LAUNCHER UNAVAILABLE UNCHECKED)
        set_property(GLOBAL PROPERTY "cb_${name}_${key}" "${CB_${key}}")
    endforeach()
endfunction()

# Sets <out> to what backend.cmake said under this key.
function(cb_backend_property out name key)
    get_property(value GLOBAL PROPERTY "cb_${name}_${key}")
    set(${out} "${value}" PARENT_SCOPE)
endfunction()

function(cb_backends_for_tests out)
    set(names "")
    set(candidates ${CB_ALL_BACKENDS})
    if(EXISTS "${CMAKE_SOURCE_DIR}/impls/${CB_TEMPLATE}/backend.h")
        list(APPEND candidates ${CB_TEMPLATE})
    endif()
    foreach(name IN LISTS candidates)
        cb_backend_property(reason "${name}" UNAVAILABLE)
        if(reason STREQUAL "")
            list(APPEND names "${name}")
        endif()
    endforeach()
    set(${out} "${names}" PARENT_SCOPE)
endfunction()

# The backends that are tested most: these, and of a family that has none here its first.
set(CB_REPRESENTATIVES fiber-small stackless-chain stackless-leaf thread-futex poll-boxed cxx20-leaf)
function(cb_representatives out)
    string(REPLACE ";" "," key "${ARGN}")
    get_property(known GLOBAL PROPERTY "cb_representatives_${key}" SET)
    if(known)
        get_property(names GLOBAL PROPERTY "cb_representatives_${key}")
        set(${out} "${names}" PARENT_SCOPE)
        return()
    endif()
    set(names "")
    set(families "")
    foreach(preferred ON OFF)
        foreach(name IN LISTS ARGN)
            cb_header_string(family "${name}" CO_BACKEND_FAMILY)
            if(preferred AND NOT name IN_LIST CB_REPRESENTATIVES)
                continue()
            elseif(NOT preferred AND family IN_LIST families)
                continue()
            endif()
            list(APPEND names "${name}")
            list(APPEND families "${family}")
        endforeach()
    endforeach()
    list(REMOVE_DUPLICATES names)
    set_property(GLOBAL PROPERTY "cb_representatives_${key}" "${names}")
    set(${out} "${names}" PARENT_SCOPE)
endfunction()

# ---- Programs and units -------------------------------------------------------------------------

# Includes and flags of everything that is compiled against one backend.
function(cb_backend_options target backend)
    cb_backend_property(flags "${backend}" FLAGS)
    cb_backend_property(libs "${backend}" LIBS)
    cb_backend_property(link_flags "${backend}" LINK_FLAGS)
    target_include_directories(${target} PRIVATE "${CMAKE_SOURCE_DIR}/harness/include"
        "${CMAKE_SOURCE_DIR}/impls/${backend}" "${CMAKE_SOURCE_DIR}/impls"
        "${CMAKE_SOURCE_DIR}/scenarios" "${CMAKE_SOURCE_DIR}/harness/bench" "${CMAKE_SOURCE_DIR}")
    target_compile_options(${target} PRIVATE ${flags})
    target_link_libraries(${target} PUBLIC ${libs} cb_runtime Threads::Threads)
    target_link_options(${target} PUBLIC ${link_flags})
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX CB_BACKEND "${backend}")
    cb_backend_property(launcher "${backend}" LAUNCHER)
    list(APPEND launcher ${CMAKE_C_COMPILER_LAUNCHER}) # none: nothing, not an empty argument
    if(launcher)
        set_target_properties(${target} PROPERTIES
            C_COMPILER_LAUNCHER "${launcher}")
    endif()
endfunction()

# Writes one generated file of the program `owner`, only if its text changes; <out> is its path.
# The suffix makes it C or C++, as the backend says.
function(cb_write_unit out owner name text)
    get_target_property(backend ${owner} CB_BACKEND)
    cb_backend_property(language "${backend}" LANGUAGE)
    set(suffix c)
    if(language STREQUAL "CXX")
        set(suffix cc)
    endif()
    set(file "${CMAKE_CURRENT_BINARY_DIR}/units/${owner}/${name}.${suffix}")
    file(CONFIGURE OUTPUT "${file}" CONTENT "${text}" @ONLY)
    set(${out} "${file}" PARENT_SCOPE)
endfunction()

# The first lines of every unit.
function(cb_unit_head out owner binding bodies loop)
    get_target_property(checked ${owner} CB_CHECKED)
    string(CONCAT head "// Generated by cmake/backends.cmake.\n"
        "#define CO_CHECKED ${checked}\n"
        "#define CO_BINDING ${binding}\n"
        "#define CO_PART_BODIES ${bodies}\n"
        "#define CO_PART_LOOP ${loop}\n")
    set(${out} "${head}" PARENT_SCOPE)
endfunction()

function(cb_write_runtime out owner binding)
    cb_unit_head(head ${owner} ${binding} 0 0)
    cb_write_unit(file ${owner} runtime-${binding}
        "${head}#define CO_RUNTIME 1\n#include <backend.h>\n")
    set(${out} "${file}" PARENT_SCOPE)
endfunction()

function(cb_add_backend_program target)
    cmake_parse_arguments(arg "LIBRARY;OBJECTS" "BACKEND;CHECKED;DIRECTORY;OUTPUT" "" ${ARGN})
    if(NOT DEFINED arg_CHECKED)
        set(arg_CHECKED 0)
    endif()
    if(NOT DEFINED arg_DIRECTORY)
        set(arg_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}")
    endif()
    if(NOT DEFINED arg_OUTPUT)
        set(arg_OUTPUT "${target}")
    endif()
    cb_backend_property(sources "${arg_BACKEND}" SOURCES)

    if(arg_OBJECTS)
        add_library(${target} OBJECT)
    else()
        add_executable(${target})
        set_target_properties(${target} PROPERTIES OUTPUT_NAME "${arg_OUTPUT}"
            RUNTIME_OUTPUT_DIRECTORY "${arg_DIRECTORY}")
    endif()
    cb_backend_options(${target} "${arg_BACKEND}")
    set_target_properties(${target} PROPERTIES CB_CHECKED "${arg_CHECKED}")
    cb_write_runtime(runtime ${target} 2)
    target_sources(${target} PRIVATE "${runtime}" ${sources})
    if(NOT arg_LIBRARY)
        return()
    endif()

    # The runtime is an object library of its own so that its code size can be read from its objects.
    cb_write_runtime(runtime ${target} 3)
    cb_write_unit(nothing ${target} nothing "// So that there is a source, whatever the bindings.\n")
    add_library(${target}-runtime OBJECT "${runtime}" ${sources})
    add_library(${target}-bodies OBJECT "${nothing}")
    foreach(part runtime bodies)
        set_target_properties(${target}-${part} PROPERTIES POSITION_INDEPENDENT_CODE ON
            C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden)
        cb_backend_options(${target}-${part} "${arg_BACKEND}")
    endforeach()
    cb_link_library(${target}-library ${target} "${arg_DIRECTORY}" "${arg_OUTPUT}")
    if(NOT arg_OBJECTS)
        target_link_libraries(${target} PRIVATE ${target}-library)
    endif()
endfunction()

# Links the shared object of the program <owner> once more, under other names, with more sources.
function(cb_link_library target owner directory output)
    get_target_property(backend ${owner} CB_BACKEND)
    add_library(${target} SHARED ${ARGN} "$<TARGET_OBJECTS:${owner}-runtime>"
        "$<TARGET_OBJECTS:${owner}-bodies>")
    cb_backend_options(${target} "${backend}")
    set_target_properties(${target} PROPERTIES OUTPUT_NAME "${output}"
        LIBRARY_OUTPUT_DIRECTORY "${directory}" POSITION_INDEPENDENT_CODE ON)
    if(NOT (CB_SANITIZE AND CB_COMPILER STREQUAL "clang"))
        target_link_options(${target} PRIVATE -Wl,-z,defs)
    endif()
endfunction()

function(cb_add_backend_unit target)
    cmake_parse_arguments(arg "" "SOURCE;BINDING;UNIT;PART" "DEFINES" ${ARGN})
    if(arg_BINDING STREQUAL "visible")
        set(binding 1)
        set(parts both)
    elseif(arg_BINDING STREQUAL "opaque")
        set(binding 2)
        set(parts bodies loop)
    elseif(arg_BINDING STREQUAL "library")
        set(binding 3)
        set(parts bodies loop)
    else()
        message(FATAL_ERROR "cb_add_backend_unit: the binding is \"${arg_BINDING}\"; "
            "it must be visible, opaque or library")
    endif()
    if(DEFINED arg_PART)
        set(parts "${arg_PART}")
    endif()
    set(defines "#define CO_UNIT ${arg_UNIT}\n")
    foreach(define IN LISTS arg_DEFINES)
        string(REGEX REPLACE "^([^=]+)=(.*)$" "\\1 \\2" define "${define}")
        string(APPEND defines "#define ${define}\n")
    endforeach()
    get_filename_component(source "${arg_SOURCE}" ABSOLUTE)
    get_filename_component(base "${source}" NAME_WE)
    file(RELATIVE_PATH source "${CMAKE_SOURCE_DIR}" "${source}")
    foreach(part IN LISTS parts)
        set(bodies 1)
        set(loop 1)
        if(part STREQUAL "bodies")
            set(loop 0)
        elseif(part STREQUAL "loop")
            set(bodies 0)
        endif()
        cb_unit_head(head ${target} ${binding} ${bodies} ${loop})
        cb_write_unit(file ${target} "${base}-${arg_UNIT}-${arg_BINDING}-${part}"
            "${head}${defines}#include \"${source}\"\n")
        set(owner ${target})
        if(binding EQUAL 3 AND part STREQUAL "bodies")
            set(owner ${target}-bodies)
        endif()
        target_sources(${owner} PRIVATE "${file}")
    endforeach()
endfunction()

function(cb_add_backend_object target)
    cmake_parse_arguments(arg "" "BACKEND;SOURCE;CHECKED" "" ${ARGN})
    if(NOT DEFINED arg_CHECKED)
        set(arg_CHECKED 0)
    endif()
    get_filename_component(source "${arg_SOURCE}" ABSOLUTE)
    get_filename_component(base "${source}" NAME_WE)
    file(RELATIVE_PATH source "${CMAKE_SOURCE_DIR}" "${source}")
    add_library(${target} OBJECT)
    cb_backend_options(${target} "${arg_BACKEND}")
    set_target_properties(${target} PROPERTIES CB_CHECKED "${arg_CHECKED}")
    cb_unit_head(head ${target} 2 0 0)
    cb_write_unit(file ${target} "${base}" "${head}#include \"${source}\"\n")
    target_sources(${target} PRIVATE "${file}")
endfunction()

# ---- Bench programs -----------------------------------------------------------------------------

function(cb_c_string out text)
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    set(${out} "\"${text}\"" PARENT_SCOPE)
endfunction()

# The string that backend.h gives a macro; adjacent string literals are joined.
function(cb_header_string out name macro)
    # Asked many times; a header is read once.
    get_property(known GLOBAL PROPERTY "cb_header_${name}_${macro}" SET)
    if(known)
        get_property(value GLOBAL PROPERTY "cb_header_${name}_${macro}")
        set(${out} "${value}" PARENT_SCOPE)
        return()
    endif()
    file(READ "${CMAKE_SOURCE_DIR}/impls/${name}/backend.h" text)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
        "${CMAKE_SOURCE_DIR}/impls/${name}/backend.h")
    set(literal "\"([^\"\\\\]|\\\\.)*\"")
    set(gap "[ \t\\\\\n]")
    if(NOT text MATCHES "#[ \t]*define[ \t]+${macro}${gap}+(${literal}(${gap}*${literal})*)")
        message(FATAL_ERROR "impls/${name}/backend.h: no #define ${macro} with a string")
    endif()
    # A list would split at a semicolon, so they step aside while the literals are taken apart.
    string(REPLACE ";" "<semicolon>" literals "${CMAKE_MATCH_1}")
    string(REGEX MATCHALL "${literal}" literals "${literals}")
    set(value "")
    foreach(part IN LISTS literals)
        string(REGEX REPLACE "^\"(.*)\"$" "\\1" part "${part}")
        string(APPEND value "${part}")
    endforeach()
    string(REPLACE "<semicolon>" ";" value "${value}")
    set_property(GLOBAL PROPERTY "cb_header_${name}_${macro}" "${value}")
    set(${out} "${value}" PARENT_SCOPE)
endfunction()

# The file that stands where the bench program would be: --describe's facts and the reason.
function(cb_write_unavailable name reason)
    cb_header_string(family "${name}" CO_BACKEND_FAMILY)
    cb_header_string(summary "${name}" CO_BACKEND_SUMMARY)
    cb_c_string(reason "${reason}")
    string(CONCAT text "{\"contract\": 1, \"backend\": \"${name}\", \"family\": \"${family}\", "
        "\"summary\": \"${summary}\", \"compiler\": \"${CB_COMPILER}\", "
        "\"compiler_version\": \"${CMAKE_C_COMPILER_VERSION}\", \"status\": \"unavailable\", "
        "\"note\": ${reason}, \"capabilities\": [], \"scenarios\": []}\n")
    file(CONFIGURE OUTPUT "${CB_BENCH_DIR}/${name}-${CB_COMPILER}.unavailable"
        CONTENT "${text}" @ONLY)
endfunction()

# The backend that this one says it is a variant of (CO_BACKEND_VARIANT_OF), or nothing.
function(cb_backend_variant out name)
    file(STRINGS "${CMAKE_SOURCE_DIR}/impls/${name}/backend.h" line
        REGEX "^#define CO_BACKEND_VARIANT_OF ")
    string(REGEX REPLACE "^[^\"]*\"(.*)\"$" "\\1" variant "${line}")
    set(${out} "${variant}" PARENT_SCOPE)
endfunction()

# cb_source_facts.h: how much source and code a backend is, counted when it is built. <units> made
# the runtime of the library binding; <out> is the header.
function(cb_add_source_facts out units backend)
    set(facts "${CMAKE_CURRENT_BINARY_DIR}/units/${units}/cb_source_facts.h")
    cb_backend_property(flags "${backend}" FLAGS)
    cb_backend_property(language "${backend}" LANGUAGE)
    if(language STREQUAL "CXX")
        list(APPEND flags "${CMAKE_CXX${CMAKE_CXX_STANDARD}_EXTENSION_COMPILE_OPTION}")
    endif()
    file(GLOB_RECURSE depends CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/impls/${backend}/*"
        "${CB_COMMON_DIR}/*")
    add_custom_command(OUTPUT "${facts}"
        COMMAND sh "${CMAKE_SOURCE_DIR}/cmake/source_facts.sh" "${facts}" "${CMAKE_SOURCE_DIR}"
            "${backend}" "$<TARGET_OBJECTS:${units}-runtime>" "${CMAKE_READELF}"
            "${CMAKE_${language}_COMPILER}" ${flags}
        DEPENDS ${depends} "$<TARGET_OBJECTS:${units}-runtime>"
            "${CMAKE_SOURCE_DIR}/cmake/source_facts.sh" "${CMAKE_SOURCE_DIR}/cmake/count_lines.awk"
        COMMENT "Counting the source of ${backend}" VERBATIM)
    set(${out} "${facts}" PARENT_SCOPE)
endfunction()

# cb_loop_facts.h: what the loops that plan.json names under `loops` are made of in <units>, read from
# the disassembly; <out> is the header.
function(cb_add_loop_facts out units)
    set(facts "${CMAKE_CURRENT_BINARY_DIR}/units/${units}/cb_loop_facts.h")
    set(plan_file "${CMAKE_SOURCE_DIR}/harness/data/plan.json")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${plan_file}")
    file(READ "${plan_file}" plan)
    string(JSON scenario GET "${plan}" loops scenario)
    string(JSON binding GET "${plan}" loops binding)
    string(JSON count LENGTH "${plan}" loops functions)
    set(wanted "")
    set(i 0)
    while(i LESS count)
        foreach(key params function hand)
            string(JSON ${key} GET "${plan}" loops functions ${i} ${key})
        endforeach()
        string(APPEND wanted "|${scenario}/${binding}/${params}=${function}=${hand}")
        math(EXPR i "${i} + 1")
    endwhile()
    string(REGEX REPLACE "^[|]" "" wanted "${wanted}")
    string(REPLACE "-" "_" unit "cbu_${scenario}_${binding}")
    set(object "$<FILTER:$<TARGET_OBJECTS:${units}>,INCLUDE,/${scenario}-${unit}-${binding}-both>")
    set(program "${CMAKE_SOURCE_DIR}/cmake/loop_facts.awk")
    add_custom_command(OUTPUT "${facts}"
        COMMAND sh "${CMAKE_SOURCE_DIR}/cmake/loop_facts.sh" "${facts}" "${program}"
            "${CB_OBJDUMP}" "${wanted}" "${object}"
        DEPENDS "${object}" "${program}" "${CMAKE_SOURCE_DIR}/cmake/loop_facts.sh"
        COMMENT "Looking at the loops of ${units}" VERBATIM)
    set(${out} "${facts}" PARENT_SCOPE)
endfunction()

# describe.c for one link of a bench program: <target> is made of <units>.
function(cb_add_describe target units backend link)
    cb_backend_property(flags "${backend}" FLAGS)
    string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
    list(JOIN flags " " flags)
    get_directory_property(options COMPILE_OPTIONS)
    list(FILTER options INCLUDE REGEX "^-f(no-)?[a-z-]+(=[a-z0-9]+)?$")
    list(JOIN options " " options)
    string(STRIP "${CMAKE_C_FLAGS} ${CMAKE_C_FLAGS_${type}} ${options} ${flags}" flags)
    cb_c_string(flags "${flags}")
    cb_unit_head(head ${units} 2 0 0)
    cb_write_unit(file ${units} "describe-${link}" "${head}\
#define CB_FLAGS_TEXT ${flags}
#define CB_BUILD_TYPE \"${CMAKE_BUILD_TYPE}\"
#define CB_LINK ${link}
#include \"cb_source_facts.h\"
#include \"cb_loop_facts.h\"
#include \"harness/bench/describe.c\"
")
    target_sources(${target} PRIVATE "${file}")
    target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_BINARY_DIR}/units/${units}")
endfunction()

# Whether any of plan.json's globs of scenario/params for this size, list and binding is of this
# scenario. Without that list: nothing is left out by it.
function(cb_plan_lists out plan size list scenario binding)
    string(JSON globs ERROR_VARIABLE error GET "${plan}" sizes "${size}" ${list} "${binding}")
    set(${out} TRUE PARENT_SCOPE)
    if(error)
        return()
    endif()
    string(JSON count LENGTH "${globs}")
    set(scenario_globs "")
    set(i 0)
    while(i LESS count)
        string(JSON glob GET "${globs}" ${i})
        string(REGEX REPLACE "/.*$" "" glob "${glob}")
        list(APPEND scenario_globs "${glob}")
        math(EXPR i "${i} + 1")
    endwhile()
    set(wanted FALSE)
    if(scenario_globs)
        cb_matches(wanted "${scenario}" ${scenario_globs})
    endif()
    set(${out} ${wanted} PARENT_SCOPE)
endfunction()

# Whether plan.json's `also` for this size asks for cells of this scenario and binding of this backend
# by name.
function(cb_plan_names out plan size backend scenario binding)
    set(${out} FALSE PARENT_SCOPE)
    string(JSON globs ERROR_VARIABLE error GET "${plan}" sizes "${size}" also "${binding}")
    if(error OR NOT globs MATCHES "/${scenario}/")
        return()
    endif()
    string(REGEX MATCHALL "\"[^\"/]*/${scenario}/" names "${globs}")
    string(REGEX REPLACE "\"|/[^;]*" "" names "${names}")
    cb_matches(named "${backend}" ${names})
    set(${out} ${named} PARENT_SCOPE)
endfunction()

# Whether a run of the size CB_SIZE measures any cell of this backend, scenario and binding:
# harness/data/plan.json says so.
function(cb_wants_binding out backend scenario binding)
    # A lean build has, of most backends, what a quick run measures in the headline's binding.
    set(size "${CB_SIZE}")
    set(representatives "${backend}")
    if(CB_LEAN)
        cb_representatives(representatives ${CB_ALL_BACKENDS})
    endif()
    if(NOT backend IN_LIST representatives)
        set(size quick)
        if(NOT binding STREQUAL "opaque")
            set(${out} FALSE PARENT_SCOPE)
            return()
        endif()
    endif()
    if(CB_BINDINGS AND NOT binding IN_LIST CB_BINDINGS)
        set(${out} FALSE PARENT_SCOPE)
        return()
    endif()
    set(${out} TRUE PARENT_SCOPE)
    if(size STREQUAL "")
        return()
    endif()
    set(plan_file "${CMAKE_SOURCE_DIR}/harness/data/plan.json")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${plan_file}")
    file(READ "${plan_file}" plan)
    string(JSON globs ERROR_VARIABLE error GET "${plan}" sizes "${size}" bindings "${binding}")
    if(error)
        message(FATAL_ERROR "CB_SIZE is \"${size}\": ${plan_file} has no such size, or it does "
            "not say what it measures in the binding ${binding}: ${error}")
    endif()
    cb_plan_lists(wanted "${plan}" "${size}" bindings "${scenario}" "${binding}")
    string(JSON except ERROR_VARIABLE error GET "${plan}" sizes "${size}" except "${binding}")
    if(NOT error AND except MATCHES "\"${scenario}/\\*\"")
        set(wanted FALSE)
    endif()
    cb_backend_variant(variant "${backend}")
    if(wanted AND variant)
        cb_plan_lists(wanted "${plan}" "${size}" variants "${scenario}" "${binding}")
    endif()
    if(NOT wanted)
        cb_plan_names(wanted "${plan}" "${size}" "${backend}" "${scenario}" "${binding}")
    endif()
    set(${out} ${wanted} PARENT_SCOPE)
endfunction()

function(cb_add_bench_units units)
    cmake_parse_arguments(arg "" "BACKEND;DIRECTORY;OUTPUT" "SCENARIOS" ${ARGN})
    set(checked 0)
    if(CB_CHECKED)
        set(checked 1)
    endif()
    cb_add_backend_program(${units} BACKEND "${arg_BACKEND}" CHECKED ${checked} LIBRARY OBJECTS
        DIRECTORY "${arg_DIRECTORY}" OUTPUT "${arg_OUTPUT}")
    set(externs "")
    set(entries "")
    foreach(scenario IN LISTS arg_SCENARIOS)
        foreach(binding visible opaque library)
            cb_wants_binding(wanted "${arg_BACKEND}" "${scenario}" "${binding}")
            if(NOT wanted)
                continue()
            endif()
            string(REPLACE "-" "_" unit "cbu_${scenario}_${binding}")
            cb_add_backend_unit(${units} BINDING ${binding} UNIT "${unit}"
                SOURCE "${CMAKE_SOURCE_DIR}/scenarios/${scenario}/${scenario}.c")
            string(APPEND externs "extern const struct cb_scenario ${unit}_scenario;\n")
            string(APPEND entries "    {\"${scenario}\", \"${binding}\", &${unit}_scenario},\n")
        endforeach()
    endforeach()
    set(registry "${CMAKE_CURRENT_BINARY_DIR}/units/${units}/registry.c")
    file(CONFIGURE OUTPUT "${registry}" @ONLY CONTENT "// Generated by cmake/backends.cmake.
#include \"registry.h\"

${externs}
const struct cb_registry_entry cb_registry[] = {
${entries}    {0, 0, 0},
};
const size_t cb_registry_count = sizeof cb_registry / sizeof cb_registry[0] - 1;
")
    target_sources(${units} PRIVATE "${registry}")
    # What includes the facts is compiled after this target, and so after they are written.
    cb_add_source_facts(facts ${units} "${arg_BACKEND}")
    cb_add_loop_facts(loops ${units})
    add_custom_target(${units}-facts DEPENDS "${facts}" "${loops}")
endfunction()

# An object library of nothing but padding for this link, so that code comes to stand at another
# address: a further quarter of a cache line within its line, and five lines on.
function(cb_add_padding out link)
    set(target cb_padding_${link})
    set(${out} ${target} PARENT_SCOPE)
    if(TARGET ${target})
        return()
    endif()
    math(EXPR bytes "${link} * (5 * 64 + 16)")
    set(file "${CMAKE_CURRENT_BINARY_DIR}/units/padding-${link}.c")
    file(CONFIGURE OUTPUT "${file}" @ONLY CONTENT "// Generated by cmake/backends.cmake.
__asm__(\".pushsection .text\\n\\t.skip ${bytes}\\n\\t.popsection\");
")
    add_library(${target} OBJECT "${file}")
endfunction()

# All links are made of the same objects; those after the first begin with padding.
function(cb_link_bench_program target units)
    cmake_parse_arguments(arg "" "DIRECTORY;OUTPUT;LINK" "" ${ARGN})
    set(link 0)
    if(DEFINED arg_LINK)
        set(link ${arg_LINK})
    endif()
    get_target_property(backend ${units} CB_BACKEND)
    set(padding "")
    set(library ${units}-library)
    if(link GREATER 0)
        cb_add_padding(padding ${link})
        set(library ${target}-library)
        cb_link_library(${library} ${units} "${arg_DIRECTORY}" "${arg_OUTPUT}"
            "$<TARGET_OBJECTS:${padding}>")
    endif()
    add_executable(${target} "${CMAKE_SOURCE_DIR}/harness/bench/main.c")
    cb_backend_options(${target} "${backend}")
    cb_add_describe(${target} ${units} "${backend}" ${link})
    add_dependencies(${target} ${units}-facts)
    # Objects are linked in this order, those of the target itself last.
    target_link_libraries(${target} PRIVATE ${padding} ${units} ${library} cb_bench_core)
    set_target_properties(${target} PROPERTIES OUTPUT_NAME "${arg_OUTPUT}"
        RUNTIME_OUTPUT_DIRECTORY "${arg_DIRECTORY}")
endfunction()

# Every wanted backend's program, or the file that says why there is none; old ones are removed.
# Without CB_BENCH_PROGRAMS, and for the template, the programs are for tests only.
function(cb_add_bench_programs)
    if(NOT EXISTS "${CMAKE_SOURCE_DIR}/harness/bench/main.c")
        message(WARNING "harness/bench/main.c is not there: no bench program is built")
        return()
    endif()
    set(only_tests OFF)
    if(NOT CB_BENCH_PROGRAMS)
        set(only_tests ON)
    endif()
    set(keep "")
    foreach(name IN LISTS CB_BUILT_BACKENDS)
        cb_backend_property(reason "${name}" UNAVAILABLE)
        if(NOT reason STREQUAL "")
            message(STATUS "${name} is unavailable: ${reason}")
            cb_write_unavailable("${name}" "${reason}")
            list(APPEND keep "${name}-${CB_COMPILER}.unavailable")
            continue()
        endif()
        cb_add_bench_units("bench-${name}-units" BACKEND "${name}" DIRECTORY "${CB_BENCH_DIR}"
            OUTPUT "${name}-${CB_COMPILER}" SCENARIOS ${CB_BUILT_SCENARIOS})
        set(link 0)
        while(link LESS CB_LINKS)
            set(target "bench-${name}")
            set(file "${name}-${CB_COMPILER}")
            if(link GREATER 0)
                string(APPEND target "-link${link}")
                string(APPEND file "-link${link}")
            endif()
            cb_link_bench_program("${target}" "bench-${name}-units" LINK ${link}
                DIRECTORY "${CB_BENCH_DIR}" OUTPUT "${file}")
            set_target_properties("${target}" PROPERTIES EXCLUDE_FROM_ALL ${only_tests})
            list(APPEND keep "${file}" "lib${file}.so")
            math(EXPR link "${link} + 1")
        endwhile()
        foreach(part units units-runtime units-bodies units-library)
            set_target_properties("bench-${name}-${part}" PROPERTIES EXCLUDE_FROM_ALL ${only_tests})
        endforeach()
    endforeach()
    # What this build does not make must not be measured from an older one.
    file(GLOB old RELATIVE "${CB_BENCH_DIR}" "${CB_BENCH_DIR}/*")
    foreach(file IN LISTS old)
        if(NOT file IN_LIST keep)
            file(REMOVE "${CB_BENCH_DIR}/${file}")
        endif()
    endforeach()
endfunction()

# For tests: the template's bench program, in a folder where corobench does not look.
function(cb_add_template_program)
    cb_backends_for_tests(names)
    if(CB_TEMPLATE IN_LIST names)
        set(directory "${CMAKE_BINARY_DIR}/tests/bench")
        set(units "bench-${CB_TEMPLATE}-units")
        cb_add_bench_units("${units}" BACKEND "${CB_TEMPLATE}" DIRECTORY "${directory}"
            OUTPUT "${CB_TEMPLATE}-${CB_COMPILER}" SCENARIOS ${CB_BUILT_SCENARIOS})
        cb_link_bench_program("bench-${CB_TEMPLATE}" "${units}" DIRECTORY "${directory}"
            OUTPUT "${CB_TEMPLATE}-${CB_COMPILER}")
        add_dependencies(tests "bench-${CB_TEMPLATE}")
    endif()
endfunction()
