#pragma once
#include <cstdint>
#include <functional>

namespace adiabat {

// Calls work(task, worker) for every task in [0, tasks) on at most `threads` threads, the caller among them;
// worker < threads, and no two calls with the same worker overlap. Idle threads sleep. What `work` throws is thrown here, once
// all tasks that had begun are over; the others are left out.
void for_each_task(std::int64_t tasks, int threads, const std::function<void(std::int64_t, int)> &work);

}  // namespace adiabat
