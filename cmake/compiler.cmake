# Language levels, warnings and optimisation that every target of this build shares.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_EXTENSIONS ON)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# Opaque bodies must not be seen through.
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION OFF)

# "gcc" or "clang": the compiler column of the results, and part of each bench program's name.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    set(CB_COMPILER gcc)
elseif(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    set(CB_COMPILER clang)
else()
    message(FATAL_ERROR "The C compiler ${CMAKE_C_COMPILER} is a ${CMAKE_C_COMPILER_ID}; corobench "
        "measures gcc and clang only. Configure with --preset release (gcc) or clang.")
endif()
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL CMAKE_C_COMPILER_ID)
    message(FATAL_ERROR "The C compiler is ${CMAKE_C_COMPILER_ID}, the C++ compiler is "
        "${CMAKE_CXX_COMPILER_ID}; one bench program is built by one compiler. Set both.")
endif()

# One optimisation level for all that is measured, and the one that --describe reports.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -DNDEBUG")
# gcc 12 packs neighbouring words of a frame into vector registers and reads them back in halves: each of those
# reads waits for the store behind it, on stacks and in frames alike, and that wait would be most of what is measured.
if(CB_COMPILER STREQUAL "gcc")
    string(APPEND CMAKE_C_FLAGS_RELEASE " -fno-tree-slp-vectorize")
endif()
set(CMAKE_CXX_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
# Instrumented code is compiled twice as fast so, and has the lines that a sanitizer's report names.
if(CB_SANITIZE)
    set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O1 -foptimize-sibling-calls -g1")
endif()
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g")
set(CMAKE_CXX_FLAGS_DEBUG "${CMAKE_C_FLAGS_DEBUG}")

add_compile_options(-Wall -Wextra -Wshadow -Werror)
if(CB_COMPILER STREQUAL "gcc")
    add_compile_options("$<$<COMPILE_LANGUAGE:C>:-Wjump-misses-init>")
endif()

# Valgrind 3.19 gives up on the DWARF 5 that clang 14 writes (KDE bug 452758), and `corobench count`
# needs Valgrind. Debug information only: the code is the same.
if(CB_COMPILER STREQUAL "clang")
    add_compile_options(-gdwarf-4)
endif()

# __FILE__ and debug information name files as the tree does, wherever the tree is.
add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=" "-ffile-prefix-map=${CMAKE_BINARY_DIR}/=")

# A lazily bound first call needs 3 KiB of stack, which a small fiber does not have.
add_link_options(-Wl,-z,now -Wl,--as-needed)

if(CB_SANITIZE)
    add_compile_options("-fsanitize=${CB_SANITIZE}" -fno-omit-frame-pointer)
    add_link_options("-fsanitize=${CB_SANITIZE}")
    if(CB_SANITIZE MATCHES "undefined")
        add_compile_options(-fno-sanitize-recover=all)
    endif()
    # Instrumented code makes gcc warn of mistakes that are not there; the other builds warn rightly.
    add_compile_options(-Wno-error)
endif()

# A library finds its bench program's folder, wherever the build tree is copied to.
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH "$ORIGIN")
