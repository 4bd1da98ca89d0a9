#!/bin/sh
# cmake/loop_facts.sh: what it finds in a disassembly, given by a stub of the disassembler.
set -eu

source=${CB_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
box=$(mktemp -d)
trap 'rm -rf "$box"' EXIT
failed=0

# Two loops by hand, one unrolled; loops in a C++ program's names; a part that was moved away; one that
# leaves backwards, as compilers place it; no loop.
tr '~' '\t' >"$box/text" <<'END'
0000000000000010 <hand>:
  10:~xor    %eax,%eax
  12:~rol    %rax
  14:~add    (%rdx),%rax
  17:~rol    %rax
  19:~add    0x8(%rdx),%rax
  1d:~add    $0x10,%rdx
  21:~cmp    %rcx,%rdx
  24:~jne    12 <hand+0x2>
  26:~ret
0000000000000030 <folded(unsigned long)>:
  30:~jmp    44 <folded(unsigned long)+0x14>
  32:~cmp    %rdx,%rcx
  35:~jne    50 <folded(unsigned long)+0x20>
  38:~rol    %rax
  3b:~add    (%r8),%rax
  3e:~cmp    %rcx,%rdx
  41:~jae    32 <folded(unsigned long)+0x2>
  44:~nopw   0x0(%rax,%rax,1)
  4a:~lea    (%r10,%rdx,8),%r8
  4e:~jmp    38 <folded(unsigned long)+0x8>
  50:~ret
0000000000000060 <calling.constprop.0>:
  60:~mov    %rbx,%rdi
  63:~call   *%rax
  65:~test   %rax,%rax
  68:~je     90 <calling.constprop.0+0x30>
  6a:~mov    %rax,0x10(%rbx)
  6e:~addq   $0x1,0x8(%rsp)
  74:~cmpq   $0x1,0x8(%rsp)
  7a:~call   10 <hand>
  7f:~rol    %rbp
  82:~mov    0x8(%rsp),%rcx
  87:~jmp    60 <calling.constprop.0>
  90:~ret
00000000000000a0 <calling.constprop.0.cold>:
  a0:~ud2
00000000000000b0 <straight>:
  b0:~rol    %rax
  b2:~ret
END
printf '#!/bin/sh\necho "$@" >"%s/called"\ncat "%s/text"\n' "$box" "$box" >"$box/objdump"
chmod +x "$box/objdump"
facts() { # WANTED [OBJECT]
    wanted=$1
    shift
    sh "$source/cmake/loop_facts.sh" "$box/facts.h" "$source/cmake/loop_facts.awk" "$box/objdump" \
        "$wanted" "$@"
}
expect() { # a line of the header
    if ! grep -qxF "    {\"$1\", $2, $3}, \\" "$box/facts.h"; then
        echo "not found: $1 $2 $3 in:"
        cat "$box/facts.h"
        failed=1
    fi
}

facts 's/b/x=1;y=2=folded=hand|s/b/x=2=calling=hand|s/b/x=3=straight=hand|s/b/x=4=absent=hand' a.o
expect 's/b/x=1;y=2' '{6, 1, 0, 0, 0}' '{7, 2, 0, 0, 0}'
expect 's/b/x=2' '{11, 1, 1, 1, 2}' '{7, 2, 0, 0, 0}'
expect 's/b/x=3' '{0, 0, 0, 0, 0}' '{7, 2, 0, 0, 0}'
if grep -q 'x=4' "$box/facts.h"; then
    echo "a function that is not there has facts"
    failed=1
fi
grep -q 'a\.o$' "$box/called" || { echo "the object was not looked at"; failed=1; }

facts 's/b/x=1=folded=hand' ''
if grep -q CB_LOOP_FACTS "$box/facts.h"; then
    echo "there are facts without an object"
    failed=1
fi
printf '#!/bin/sh\nexit 1\n' >"$box/objdump"
if facts 's/b/x=1=folded=hand' a.o; then
    echo "a disassembler that fails is not an error"
    failed=1
fi
exit $failed
