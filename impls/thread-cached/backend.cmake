# fegetenv and fesetenv are in the mathematics library.
set(CB_LIBS m)
