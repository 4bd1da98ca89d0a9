# The template's own switch.h is for x86-64 only.
if(NOT CB_ARCH STREQUAL "x86_64")
    set(CB_UNAVAILABLE "its switch.h is written for x86_64, not for ${CB_ARCH}")
endif()
