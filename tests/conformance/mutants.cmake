# The self-test of the kit: one mistake is planted in a backend, and the kit has to notice it.
#
# Each line: a mutant of impls/common/mutant.h, the part of the kit, the checks that must fail (each
# of them), and the backends that have such a place.

set(kit_mutants
    "drop_register     machine registers_of_body            fiber-full,fiber-small,fiber-classes,fiber-split,fiber-inline,fiber-ret,fiber-ret-fp"
    "drop_register     machine registers_of_resumer         fiber-full,fiber-small,fiber-split,fiber-inline,fiber-ret,fiber-ret-fp"
    "drop_control      machine control_words                fiber-fp,fiber-ret-fp"
    "misalign          machine alignment                    fiber-full,fiber-small,fiber-classes,fiber-split,fiber-ret,fiber-ret-fp"
    "no_guard          stacks  overflow,overflow_large,overflow_early  fiber-full,fiber-small,fiber-reserved"
    "guard_believed    stacks  overflow_if_the_kernel_lies  fiber-full,fiber-small,fiber-reserved"
    "guard_optional    stacks  no_stack_without_guard       fiber-full,fiber-small,fiber-reserved"
    "guards_run_out    stacks  overflow_late                fiber-full,fiber-small,fiber-reserved"
    "unprobed          stacks  overflow_by_a_frame          fiber-full,fiber-small,fiber-reserved"
    "keep_pages        stacks  gives_back                   fiber-reserved"
    "lose_sent         values  send,odd_words,locals        all"
    "lose_sent         values  send,odd_words,locals        fiber-ret,fiber-ret-fp,fiber-boost,fiber-ucontext"
    "leaf_not_moved    calls   yields_through,nesting_1_to_40  stackless-leaf,cxx20-leaf"
    "call_not_linked   calls   yields_through,nesting_1_to_40  stackless-leaf-eager"
    "tag_not_changed   calls   yields_through,several_callees  stackless-leaf-tag"
    "lose_sent         values  send,odd_words,locals        step,cxx20-leaf"
    "keep_locals       values  locals                       step"
    "link_to_locals    delegate to_own_local                step"
    "skip_cleanup      close   suspended,innermost_first    step,cxx20-leaf"
    "lose_waiting      eager   started,delegated            eager"
    "keep_link         delegate one_after_another            eager"
    "keep_limit        growth  beyond_stated,every_depth_in_c  fiber-split"
    "keep_segment      growth  every_depth_in_c,caught_from_below  fiber-split"
    "jump_keeps_limit  growth  caught_from_below            fiber-split"
    "lose_sent         threads values_move,many_move        all"
    "skip_cleanup      close   suspended,innermost_first,owned  all"
    "skip_cleanup      threads closed_elsewhere             all"
    "below_stack       signals storm_on_body_stack          fiber-full,fiber-small"
    "wakes_once        signals storm_on_signal_stack,storm_on_body_stack  thread-futex,thread-cached"
    "any_thread        machine stated_need                  thread-cached"
    "keeps_modes       machine control_words_at_start       thread-cached"
    "lost_in_fork      fork    suspended,new_ones           fiber-full,fiber-small"
    "leak_on_failure   nomem   each_allocation              fiber-full,fiber-small"
    "silent_failure    nomem   each_allocation              stackless-chain,stackless-chain-malloc,stackless-leaf"
    "copy_short        close   many_in_any_order            fiber-copied"
    "skip_copy         close   many_in_any_order            fiber-copied"
    "keep_box          memory  no_growth_without_trim       stackless-embedded-leaf"
    "leave_owned       calls   drivers_in_turn              fiber-copied"
    "pending_is_item   await   pending,items,delegated      poll-boxed,poll-embedded"
    "misalign_call     machine alignment                    fiber-separate"
    "silent_failure    nomem   each_allocation              thread-futex,thread-condvar,thread-cached")

# What is left unclaimed because it is not so: as if it were claimed, these checks fail. (gcc keeps
# the addresses of errno and of thread-locals across a yield: PR 26461.)
set(kit_false_claims
    "thread-locals     threads errno_of_its_thread,thread_locals  fiber-full,fiber-small"
    "movable           memory  moved                        stackless-leaf,stackless-embedded-leaf"
    "calls-in-place    memory  calls_in_place               stackless-chain,stackless-leaf"
    "flat-stack        calls   flat_depth                   stackless-leaf-eager")

# For 'all': who includes none of the lowerings in impls/common has no such place.
set(kit_mutant_backends fiber-full fiber-small fiber-reserved fiber-split stackless-chain stackless-leaf thread-futex
    thread-condvar thread-cached)

foreach(line IN LISTS kit_mutants)
    string(REGEX REPLACE " +" ";" line "${line}")
    list(GET line 0 mutant)
    list(GET line 1 part)
    list(GET line 2 checks)
    list(GET line 3 wanted)
    string(REPLACE "," ";" wanted "${wanted}")
    if(wanted STREQUAL "all")
        set(wanted ${kit_mutant_backends})
    endif()
    foreach(backend IN LISTS wanted)
        if(NOT backend IN_LIST backends)
            continue()
        endif()
        set(target conformance-mutant-${backend}-${mutant}-${part})
        if(NOT TARGET ${target})
            kit_add_program(${target} ${backend} CHECKED 1 BINDINGS opaque
                PARTS "${CMAKE_CURRENT_SOURCE_DIR}/parts/${part}.c")
            foreach(object ${target} ${target}-runtime ${target}-bodies)
                target_compile_definitions(${object} PRIVATE CO_MUTANT=${mutant})
            endforeach()
        endif()
        string(REPLACE "," ";" checks "${checks}")
        foreach(check IN LISTS checks)
            set(test conformance-mutant-${backend}-${mutant}/${check})
            add_test(NAME ${test} COMMAND ${target} --limit 10 "${part}.${check}")
            set_tests_properties(${test} PROPERTIES TIMEOUT 60
                PASS_REGULAR_EXPRESSION "not ok 1 - opaque/${part}.${check}")
        endforeach()
    endforeach()
endforeach()

foreach(line IN LISTS kit_false_claims)
    string(REGEX REPLACE " +" ";" line "${line}")
    list(GET line 0 capability)
    list(GET line 1 part)
    list(GET line 2 checks)
    list(GET line 3 wanted)
    string(REPLACE "," ";" checks "${checks}")
    string(REPLACE "," ";" wanted "${wanted}")
    foreach(backend IN LISTS wanted)
        if(NOT backend IN_LIST backends)
            continue()
        endif()
        foreach(check IN LISTS checks)
            set(test conformance-false-claim-${backend}-${capability}/${check})
            add_test(NAME ${test} COMMAND conformance-${backend}-timed --claim ${capability}
                "${part}.${check}")
            set_tests_properties(${test} PROPERTIES TIMEOUT 60
                PASS_REGULAR_EXPRESSION "not ok [0-9]+ - [a-z]+/${part}.${check}")
        endforeach()
    endforeach()
endforeach()
