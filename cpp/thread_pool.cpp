#include "thread_pool.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace adiabat {
namespace {

// A thread that sleeps takes tens of microseconds to wake up. So who waits looks for as long whether it is over, then sleeps:
// long enough for what follows at once, short enough to leave the processor to others.
constexpr std::chrono::microseconds patience(30);

template <class Condition>
void look(const Condition &over) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!over() && std::chrono::steady_clock::now() < end) __builtin_ia32_pause();
}

class ThreadPool {
 public:
  void run(std::int64_t tasks, int threads, const std::function<void(std::int64_t, int)> &work) {
    std::lock_guard<std::mutex> one_at_a_time(running_);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      next_ = 0;
      tasks_ = tasks;
      thrown_ = nullptr;
      work_ = &work;
      wanted_ = threads - 1;
      open_ = true;
      ++round_;
      while (static_cast<int>(threads_.size()) < wanted_) {
        const int worker = static_cast<int>(threads_.size()) + 1;
        threads_.emplace_back([this, worker, before = round_ - 1] { serve(worker, before); });
      }
    }
    wake_.notify_all();
    take_tasks(0);
    close();
    if (thrown_) std::rethrow_exception(thrown_);
  }

  ~ThreadPool() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (auto &thread : threads_) thread.join();
  }

 private:
  void take_tasks(int worker) {
    try {
      for (std::int64_t task = next_++; task < tasks_; task = next_++) (*work_)(task, worker);
    } catch (...) {
      std::lock_guard<std::mutex> lock(mutex_);
      next_ = tasks_;
      if (!thrown_) thrown_ = std::current_exception();
    }
  }

  // Those that have not come by now need not come; the others are waited for.
  void close() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      open_ = false;
    }
    look([this] { return busy_ == 0; });
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
  }

  void serve(int worker, std::int64_t round) {
    while (true) {
      look([&] { return round_ != round; });
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return ending_ || round_ != round; });
      if (ending_) return;
      round = round_;
      if (!open_ || worker > wanted_) continue;
      ++busy_;
      lock.unlock();
      take_tasks(worker);
      lock.lock();
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::mutex running_, mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> threads_;
  std::atomic<std::int64_t> next_{0}, round_{0};
  std::atomic<int> busy_{0};
  std::int64_t tasks_ = 0;
  const std::function<void(std::int64_t, int)> *work_ = nullptr;
  std::exception_ptr thrown_;
  int wanted_ = 0;
  bool open_ = false, ending_ = false;
};

// Threads do not survive a fork: the child starts a pool of its own and leaves the parent's alone.
ThreadPool &pool() {
  static std::mutex mutex;
  static std::unique_ptr<ThreadPool> current;
  static pid_t owner = 0;
  std::lock_guard<std::mutex> lock(mutex);
  if (!current || owner != getpid()) {
    static_cast<void>(current.release());
    current = std::make_unique<ThreadPool>();
    owner = getpid();
  }
  return *current;
}

}  // namespace

void for_each_task(std::int64_t tasks, int threads, const std::function<void(std::int64_t, int)> &work) {
  if (threads > tasks) threads = static_cast<int>(tasks);
  if (threads > 1) {
    pool().run(tasks, threads, work);
    return;
  }
  for (std::int64_t task = 0; task < tasks; ++task) work(task, 0);
}

}  // namespace adiabat
