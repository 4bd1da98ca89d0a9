# Its switch is a variant of the one for x86_64.
if(NOT CB_ARCH STREQUAL "x86_64")
    set(CB_UNAVAILABLE "its switch is written for x86_64, not for ${CB_ARCH}")
endif()
