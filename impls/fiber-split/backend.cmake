# Compiler, linker and libgcc have to do this together: each prologue asks for room, libgcc links a
# segment, and only gold makes functions that call other code (the C library) ask for enough of it.
include(CheckCSourceCompiles)
find_program(CB_GOLD ld.gold)
mark_as_advanced(CB_GOLD)
if(NOT CB_ARCH STREQUAL "x86_64")
    set(CB_UNAVAILABLE "its switch is written for x86_64, not for ${CB_ARCH}")
elseif(CB_SANITIZE MATCHES "address|thread")
    set(CB_UNAVAILABLE "a sanitizer knows one range of addresses for a stack, and these have many")
elseif(NOT CB_GOLD)
    set(CB_UNAVAILABLE "ld.gold is not installed, and with another linker calls of the C library \
overrun a segment; apt-get install binutils, or binutils-gold")
else()
    set(CMAKE_REQUIRED_FLAGS -fsplit-stack)
    set(CMAKE_REQUIRED_LINK_OPTIONS -fuse-ld=gold)
    check_c_source_compiles("
        extern void *__splitstack_makecontext(unsigned long, void *[10], unsigned long *);
        extern __thread void *__morestack_current_segment;
        int main(void) {
            void *context[10];
            unsigned long size;
            return __splitstack_makecontext(1, context, &size) == __morestack_current_segment;
        }" CB_HAS_SPLIT_STACK)
    if(NOT CB_HAS_SPLIT_STACK)
        set(CB_UNAVAILABLE "this compiler has no -fsplit-stack, or its libgcc no __morestack")
    endif()
endif()
set(CB_FLAGS -fsplit-stack)
set(CB_LINK_FLAGS -fuse-ld=gold)
# Each of them wants to be told of a stack before it is used; nobody is told of libgcc's segments.
set(CB_UNCHECKED asan tsan valgrind)
