# gdb: backtraces of suspended coroutines.
#
#   (gdb) source scripts/coroutines.gdb
#   (gdb) coroutine-backtrace HANDLE      a co_handle, such as &v.co_ of a CO_VAR(name) v
#
# For backends that switch by impls/common/switch/x86_64.h: what a suspended body needs to go on is
# in its control block. The registers are put back afterwards. A running coroutine needs nothing:
# gdb's own backtrace ends at the entry of its body.

define coroutine-backtrace
    set $co_handle_ = (struct co_stackful *) ($arg0)
    set $co_sp_ = $sp
    set $co_pc_ = $pc
    set $co_bp_ = $rbp
    set $sp = $co_handle_->sw.body.sp
    set $pc = $co_handle_->sw.body.ip
    set $rbp = $co_handle_->sw.body.bp
    backtrace
    set $sp = $co_sp_
    set $pc = $co_pc_
    set $rbp = $co_bp_
end
document coroutine-backtrace
Backtrace of a suspended coroutine: coroutine-backtrace HANDLE
end
