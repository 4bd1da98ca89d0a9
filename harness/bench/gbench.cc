// The harness's only C++: Google Benchmark behind four C functions. Nothing crosses between C and
// C++ per operation, only per batch.
#include "gbench.h"

#include <cstring>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

struct cb_gbench_sink {
    benchmark::State *state;
};

namespace {

// Keeps what is one repetition: no means and deviations, and none that was declared void.
class RepetitionsReporter : public benchmark::JSONReporter {
  public:
    void ReportRuns(const std::vector<Run> &reports) override {
        std::vector<Run> kept;
        for (const Run &run : reports)
            if (run.run_type == Run::RT_Iteration && !run.error_occurred)
                kept.push_back(run);
        if (!kept.empty())
            JSONReporter::ReportRuns(kept);
    }
};

void one_repetition(benchmark::State &state, const cb_gbench_job *job) {
    job->before(job->user);
    for (auto _ : state)
        job->batch(job->user);
    cb_gbench_sink sink{&state};
    if (!job->after(job->user, &sink))
        state.SkipWithError("void");
}

// The library also takes options from BENCHMARK_* environment variables; whoever has some set must
// not get another measurement, so each that matters is set back.
void set_options() {
    const char *const fixed[] = {"bench",
                                 "--benchmark_list_tests=false",
                                 "--benchmark_min_warmup_time=0",
                                 "--benchmark_repetitions=1",
                                 "--benchmark_enable_random_interleaving=false",
                                 "--benchmark_report_aggregates_only=false",
                                 "--benchmark_display_aggregates_only=false",
                                 "--benchmark_out=",
                                 "--benchmark_counters_tabular=false",
                                 "--benchmark_perf_counters="};
    int count = static_cast<int>(sizeof fixed / sizeof fixed[0]);
    // The library keeps a pointer to the first: the texts must live on.
    static std::vector<std::string> texts(fixed, fixed + count);
    std::vector<char *> arguments;
    for (std::string &text : texts)
        arguments.push_back(&text[0]);
    arguments.push_back(nullptr);
    benchmark::Initialize(&count, arguments.data());
}

std::string run(const cb_gbench_job *job) {
    set_options();
    benchmark::ClearRegisteredBenchmarks();
    benchmark::RegisterBenchmark(job->name,
                                 [job](benchmark::State &state) { one_repetition(state, job); })
        ->Iterations(1)
        ->Repetitions(job->repetitions)
        ->MeasureProcessCPUTime()
        ->UseRealTime()
        ->Unit(benchmark::kNanosecond);
    std::ostringstream document, complaints;
    RepetitionsReporter reporter;
    reporter.SetOutputStream(&document);
    reporter.SetErrorStream(&complaints);
    benchmark::RunSpecifiedBenchmarks(&reporter, ".");
    benchmark::ClearRegisteredBenchmarks();
    return document.str();
}

} // namespace

extern "C" void cb_gbench_counter(struct cb_gbench_sink *sink, const char *name, double value) {
    sink->state->counters[name] = value;
}

extern "C" char *cb_gbench_run(const struct cb_gbench_job *job, char **error) {
    *error = nullptr;
    try {
        return strdup(run(job).c_str());
    } catch (const std::exception &problem) {
        *error = strdup(problem.what());
    }
    return nullptr;
}
