# Both compilers turn a chain of comparisons into a switch and a switch into a table: what a source
# writes does not decide, this does.
set(CB_FLAGS -fno-jump-tables)
