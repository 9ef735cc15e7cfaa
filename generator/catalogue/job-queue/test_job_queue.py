import threading

import pytest

from job_queue import MAX_ATTEMPTS, MAX_FINISHED_KEPT, MAX_RETRY_DELAY_SECONDS, JobQueue, Status


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def queue(clock):
    return JobQueue(max_attempts=3, retry_delay_seconds=10, clock=clock)


def failing():
    raise OSError("unavailable")


def test_jobs_run_in_the_order_of_submission(queue):
    seen = []
    jobs = [queue.submit(lambda n=n: seen.append(n) or n) for n in range(3)]
    assert len(queue) == 3
    assert queue.run_due() == 3
    assert seen == [0, 1, 2]
    assert [(job.status, job.result) for job in jobs] == [(Status.DONE, 0), (Status.DONE, 1), (Status.DONE, 2)]
    assert (queue.finished(), len(queue)) == (jobs, 0)


def test_higher_priorities_run_first(queue):
    seen = []
    for priority in (0, 5, -1, 5):
        queue.submit(lambda p=priority: seen.append(p), priority=priority)
    queue.run_due()
    assert seen == [5, 5, 0, -1]


def test_a_delayed_job_waits_even_with_a_high_priority(queue, clock):
    seen = []
    queue.submit(lambda: seen.append("late"), delay_seconds=60, priority=9)
    queue.submit(lambda: seen.append("now"))
    assert queue.run_due() == 1
    assert queue.seconds_until_due() == 60
    clock.now = 60
    assert (queue.seconds_until_due(), queue.run_due()) == (0, 1)
    assert seen == ["now", "late"]
    assert queue.seconds_until_due() is None


def test_a_failing_job_is_retried_with_doubled_delays(queue, clock):
    job = queue.submit(failing)
    assert queue.run_due() == 1
    assert (job.status, queue.seconds_until_due()) == (Status.WAITING, 10)
    clock.now = 10
    queue.run_due()
    assert queue.seconds_until_due() == 20
    clock.now = 30
    queue.run_due()
    assert (job.status, job.attempts, len(job.errors), len(queue)) == (Status.FAILED, 3, 3, 0)


def test_a_job_can_succeed_on_a_later_attempt(queue, clock):
    answers = [OSError("first"), "fine"]

    def call():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    job = queue.submit(call)
    queue.run_due()
    clock.now = 10
    queue.run_due()
    assert (job.status, job.result, job.attempts) == (Status.DONE, "fine", 2)


def test_delays_between_attempts_are_bounded(clock):
    queue = JobQueue(max_attempts=3000, retry_delay_seconds=1, clock=clock)
    queue.submit(failing)
    for _ in range(2000):
        assert queue.run_due() == 1
        clock.now += MAX_RETRY_DELAY_SECONDS
    assert queue.seconds_until_due() == 0


def test_a_job_may_have_its_own_number_of_attempts(queue):
    once = queue.submit(failing, max_attempts=1)
    queue.run_due()
    assert once.status is Status.FAILED
    by_default = JobQueue(retry_delay_seconds=0)
    by_default.submit(failing)
    assert by_default.run_due() == MAX_ATTEMPTS


def test_waiting_jobs_can_be_cancelled_and_others_cannot(queue):
    seen = []
    job, other = queue.submit(lambda: seen.append("no")), queue.submit(lambda: seen.append("yes"))
    assert queue.cancel(job)
    assert not queue.cancel(job)
    assert (len(queue), queue.run_due(), seen) == (1, 1, ["yes"])
    assert not queue.cancel(other)
    assert queue.seconds_until_due() is None


def test_a_limit_leaves_the_rest(queue):
    for _ in range(3):
        queue.submit(lambda: None)
    assert queue.run_due(limit=2) == 2
    assert (len(queue), queue.seconds_until_due()) == (1, 0)
    assert queue.run_due(limit=0) == 0


def test_a_job_may_submit_jobs(queue):
    seen = []
    queue.submit(lambda: queue.submit(lambda: seen.append("inner")))
    assert queue.run_due() == 2
    assert seen == ["inner"]


def test_an_interrupt_ends_the_job_and_passes_on(queue):
    def interrupted():
        raise KeyboardInterrupt

    job = queue.submit(interrupted)
    with pytest.raises(KeyboardInterrupt):
        queue.run_next()
    assert (job.status, len(queue)) == (Status.FAILED, 0)


def test_finished_jobs_are_bounded(queue):
    for _ in range(MAX_FINISHED_KEPT + 2):
        queue.submit(lambda: None)
    queue.run_due()
    assert len(queue.finished()) == MAX_FINISHED_KEPT


def test_threads_share_the_jobs_and_each_runs_once(queue):
    seen = []
    for number in range(200):
        queue.submit(lambda n=number: seen.append(n))
    threads = [threading.Thread(target=queue.run_due) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(200))


def test_misuse_is_refused(queue):
    with pytest.raises(TypeError):
        queue.submit("not callable")
    for arguments in ({"delay_seconds": -1}, {"max_attempts": 0}):
        with pytest.raises(ValueError):
            queue.submit(failing, **arguments)
    for arguments in ({"max_attempts": 0}, {"retry_delay_seconds": -1}):
        with pytest.raises(ValueError):
            JobQueue(**arguments)
