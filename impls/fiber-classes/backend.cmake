# switch.h is for x86-64 only.
if(NOT CB_ARCH STREQUAL "x86_64")
    set(CB_UNAVAILABLE "its switch.h is written for x86_64, not for ${CB_ARCH}")
endif()
# Then what the compiler says of a frame is all of it, and nothing has to be added for each leaf.
set(CB_FLAGS -mno-red-zone)
# numa.h binds chunks to nodes by hwloc; without it, it says so.
if(TARGET PkgConfig::HWLOC)
    list(APPEND CB_FLAGS -DCO_CLASSES_HWLOC=1)
    set(CB_LIBS PkgConfig::HWLOC)
endif()
# gcc writes the call graph that the bounds come from. clang writes none: it is disassembled from the
# object, by what the whole build needs and configuring asks for.
set(objdump -)
if(NOT CB_COMPILER STREQUAL "gcc")
    set(objdump "${CB_OBJDUMP}")
endif()
set(CB_STACK_PROFILE "" CACHE FILEPATH "fiber-classes: what bodies without a bound used, or empty")
set(profile -)
# The checksum is an argument so that a change of these files compiles the bodies again.
set(texts "")
if(CB_STACK_PROFILE)
    get_filename_component(profile "${CB_STACK_PROFILE}" ABSOLUTE BASE_DIR "${CMAKE_SOURCE_DIR}")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${profile}")
    file(READ "${profile}" texts)
endif()
foreach(file stack_bounds.sh stack_bounds.awk call_graph.awk libc_stack.txt)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${CB_BACKEND_DIR}/${file}")
    file(READ "${CB_BACKEND_DIR}/${file}" text)
    string(APPEND texts "${text}")
endforeach()
string(SHA1 sum "${texts}")
string(SUBSTRING "${sum}" 0 8 sum)
set(CB_LAUNCHER sh "${CB_BACKEND_DIR}/stack_bounds.sh" "${sum}" "${profile}" "${objdump}")
