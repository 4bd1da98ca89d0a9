# The switch is one file an architecture; without it this backend is listed as unavailable.
cb_require_switch()
