// One wake-up: two coroutines wake each other in turn, through an executor, by events or by pipes.
//
// Both wait before the clock starts. A coroutine that is woken takes the token, hands it on, and
// awaits the next one.
#include <backend.h>
#include "corobench/runtime.h"
#include "corobench/scenario.h"

// Handed on by a plain C function, it ends the coroutine. None does.
#define STOP (~(word)0)

// What one coroutine awaits, what it got, and how it hands that on.
struct side {
    struct co_awaitable *inbox;
    word got;
    word (*hand_on)(word side);
};

// All frames have one body. The last one awaits, the others only pass through.
CORO_DECL(hop, (word depth; struct side * side;), (word x;), (REC(hop)))

#if CO_PART_BODIES
CORO(hop) {
    CO_BEGIN(hop)
        my->x = 0;
        if (my->depth > 1) {
            CO_CALLREC(my->x, hop, my->depth - 1, my->side);
        } else {
            while (my->x != STOP) {
                CO_AWAIT(my->side->got, my->side->inbox);
                my->x = CO_CCALL(my->side->hand_on, my->side);
            }
        }
        CO_RETURN(cb_mix(my->x, my->depth)); // not a tail call, so that each frame stays
    CO_END
}
#define CO_BODIES(_) _(hop)
CO_DISPATCH(CO_BODIES)
#endif

#if CO_PART_LOOP
#include <fcntl.h>
#include <unistd.h>

// Bytes of stack: for the first frame, what it awaits and how it wakes, and for each further frame.
#define STACK_BASE 8192
#define STACK_FRAME 512
enum { SIDES = 2 };

static struct co_runtime *runtime;
static struct co_task *tasks[SIDES];
static CO_VAR(hop) hops[SIDES];
static struct side sides[SIDES];

// Side i reads from pipe i, or waits for event i.
static struct co_event events[SIDES];
static struct co_source sources[SIDES];
static int pipes[SIDES][2];
static bool over_pipe;

static struct co_event over; // the token has made all its hops
static uint64_t hops_left, polled;
static word check;

static unsigned needs(const struct cb_params *params) {
    return cb_param(params, "depth", 1) > 1 ? CO_CAP_RECURSION : 0;
}

// Puts the token before side i. False if a pipe does not take it.
static bool put(int i, word token) {
    if (over_pipe)
        return write(pipes[i][1], &token, sizeof token) == (ssize_t)sizeof token;
    co_event_set(&events[i], token);
    return true;
}

static void hop_to_other(struct side *side) {
    word token = side->got;
    check = cb_mix(check, token);
    if (--hops_left == 0 || !put(side == &sides[0], token + 1))
        co_event_set(&over, hops_left);
}

static word hand_on_event(word argument) {
    hop_to_other((struct side *)argument);
    return 0;
}

// A descriptor is read until it would block: what is there by then is told by no further wake.
static word hand_on_pipe(word argument) {
    struct side *side = (struct side *)argument;
    int fd = (int)side->got;
    while (read(fd, &side->got, sizeof side->got) == (ssize_t)sizeof side->got)
        hop_to_other(side);
    return 0;
}

// Futures of the loop itself: one gives way so often, one ends with the token.
static struct co_result go_round(void *state, const struct co_waker *waker) {
    unsigned *times = (unsigned *)state;
    struct co_result answer = {0, (word)(*times > 0 ? CO_YIELDED : CO_RETURNED)};
    (void)waker;
    --*times;
    return answer;
}

static uint64_t polled_over;
static struct co_result until_over(void *state, const struct co_waker *waker) {
    (void)state;
    polled_over++;
    return over.base.ask(&over.base, waker);
}

static int run_task(void *state, co_future future, word *out) {
    struct co_task *task = co_runtime_spawn(runtime, state, future);
    if (task == NULL)
        return CO_E_INVALID;
    int status = co_runtime_block_on(runtime, task, out);
    co_task_drop(task);
    return status;
}

static int open_inbox(int i) {
    sides[i].hand_on = over_pipe ? hand_on_pipe : hand_on_event;
    sides[i].inbox = over_pipe ? &sources[i].base : &events[i].base;
    co_event_init(&events[i]);
    if (!over_pipe)
        return 0;
    if (pipe(pipes[i]) != 0)
        return CO_E_INVALID;
    if (fcntl(pipes[i][0], F_SETFL, O_NONBLOCK) != 0 ||
        co_source_open(&sources[i], runtime, pipes[i][0], CO_READABLE) != 0)
        return CO_E_INVALID;
    return 0;
}

// Both have been polled once and wait.
static int prepare(const struct cb_params *params) {
    word depth = (word)cb_param(params, "depth", 1), out;
    unsigned rounds = 2;
    over_pipe = cb_param_is(params, "over", "pipe");
    polled = polled_over = 0;
    for (int i = 0; i < SIDES; i++)
        pipes[i][0] = pipes[i][1] = -1;
    runtime = co_runtime_create();
    co_event_init(&over);
    if (runtime == NULL)
        return CO_E_INVALID;
    for (int i = 0; i < SIDES; i++) {
        int error = open_inbox(i);
        if (error == 0)
            error =
                CO_INIT_STACK(hop, &hops[i], STACK_BASE + STACK_FRAME * depth, depth, &sides[i]);
        if (error < 0)
            return error;
        tasks[i] = co_runtime_spawn(runtime, CO_HANDLE(&hops[i]), co_task_poll);
        if (tasks[i] == NULL)
            return CO_E_INVALID;
    }
    int status = run_task(&rounds, go_round, &out);
    for (int i = 0; i < SIDES && status == CO_RETURNED; i++) {
        int answer = co_task_answer(tasks[i], &out);
        if (answer != CO_PENDING)
            return answer == CO_FAILED ? (int)out : answer < 0 ? answer : CO_E_INVALID;
    }
    return status == CO_RETURNED ? 0 : CO_E_INVALID;
}

// What is counted as yields are polls: each ends in a suspension.
static struct cb_counts run(uint64_t n) {
    uint64_t before = co_runtime_count(runtime).polls, before_over = polled_over;
    word left = 0;
    check = 0;
    hops_left = n;
    if (n > 0 && (!put(0, 0) || run_task(NULL, until_over, &left) != CO_RETURNED))
        left = n;
    uint64_t polls = co_runtime_count(runtime).polls - before - (polled_over - before_over);
    polled += polls;
    struct cb_counts done = {check + left, 0, polls};
    return done;
}

static struct cb_counts expect(uint64_t n) {
    word all = 0;
    for (word i = 0; i < n; i++)
        all = cb_mix(all, i);
    struct cb_counts should = {all, 0, n};
    return should;
}

static uint64_t polls(void) {
    return polled;
}

static void finish(void) {
    for (int i = 0; i < SIDES; i++) {
        CO_FINI(hop, &hops[i]);
        co_task_drop(tasks[i]);
        tasks[i] = NULL;
        co_event_fini(&events[i]);
        co_source_close(&sources[i]);
        for (int end = 0; end < 2; end++)
            if (pipes[i][end] >= 0)
                close(pipes[i][end]);
    }
    co_event_fini(&over);
    co_runtime_destroy(runtime);
    runtime = NULL;
}

CB_SCENARIO(.id = "wake", .unit = "wake-up", .kind = CB_KIND_TIME, .quick = CB_LIST(NULL),
            .normal = CB_LIST("over=queue", "over=pipe"),
            .full = CB_LIST("depth=16;over=queue", "depth=16;over=pipe"), .needs = needs,
            .prepare = prepare, .run = run, .expect = expect, .polls = polls, .finish = finish);
#endif
