# The static library: a call of it is then a call, not a jump through a table as well.
find_library(CB_BOOST_CONTEXT libboost_context.a)
mark_as_advanced(CB_BOOST_CONTEXT)
if(CB_BOOST_CONTEXT)
    # Each link has its own copy, which it does not show to others.
    set(CB_LIBS "${CB_BOOST_CONTEXT}" "-Wl,--exclude-libs,libboost_context.a")
else()
    set(CB_UNAVAILABLE "Boost.Context is missing: apt-get install libboost-context-dev")
endif()
