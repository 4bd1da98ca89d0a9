if(NOT EXISTS "${CB_COMMON_DIR}/switch/${CB_ARCH}_ret.h")
    set(CB_UNAVAILABLE "no switch of this kind for ${CB_ARCH}: impls/common/switch/${CB_ARCH}_ret.h")
endif()
