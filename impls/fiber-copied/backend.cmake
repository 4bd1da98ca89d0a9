# Its copies rely on the layout of the switch; without a switch this backend is listed as unavailable.
cb_require_switch()
if(NOT CB_ARCH STREQUAL "x86_64")
    set(CB_UNAVAILABLE "its change of stacks in copied_runtime.h is written for x86_64, not for ${CB_ARCH}")
endif()
# Nothing below the stack pointer is alive, so a suspended coroutine is 128 bytes smaller.
set(CB_FLAGS -mno-red-zone)
# Its running stack is one for all threads, which take turns; a race that TSan reports is one.
set(CB_UNCHECKED tsan)
