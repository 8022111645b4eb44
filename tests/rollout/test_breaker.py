"""The hard breaker: trips on what is in a row, never on what is not."""

from hypothesis import given
from hypothesis import strategies as st

from guiderail.rollout.breaker import Answer, Breaker, Limits, classify

ANSWERS = st.lists(st.sampled_from(Answer), max_size=80)


def after(answers, limits=None):
    breaker = Breaker(limits or Limits())
    for answer in answers:
        breaker = breaker.after(answer)
    return breaker


def test_five_failures_in_a_row_trip_it_and_it_says_so():
    assert after([Answer.FAILED] * 4).tripped is None
    assert after([Answer.FAILED] * 5).tripped == "5 requests in a row failed or took too long"


def test_a_good_answer_in_between_starts_the_count_anew():
    assert after([Answer.FAILED] * 4 + [Answer.GOOD] + [Answer.FAILED] * 4).tripped is None


def test_unusable_inputs_trip_it_later_and_name_the_inputs():
    assert after([Answer.REFUSED_INPUTS] * 19).tripped is None
    assert "inputs of 20 requests" in after([Answer.REFUSED_INPUTS] * 20).tripped


def test_malformed_requests_are_the_callers_fault():
    assert after([Answer.BAD_REQUEST] * 1_000) == Breaker()


@given(ANSWERS, ANSWERS)
def test_once_tripped_it_stays_tripped(before, more):
    breaker = after([*before, *[Answer.FAILED] * 5])
    for answer in more:
        assert breaker.after(answer) == breaker


@given(ANSWERS)
def test_it_trips_exactly_when_a_row_is_long_enough(answers):
    limits = Limits(failures=3, refusals=4)
    rows, failures, refusals = False, 0, 0
    for answer in answers:
        if answer is Answer.GOOD:
            failures = refusals = 0
        failures += answer is Answer.FAILED
        refusals += answer is Answer.REFUSED_INPUTS
        rows = rows or failures >= 3 or refusals >= 4
    assert (after(answers, limits).tripped is not None) == rows


def test_statuses_mean_what_http_says():
    assert classify(200) is Answer.GOOD
    assert classify(400) is Answer.BAD_REQUEST
    assert classify(422) is Answer.REFUSED_INPUTS
    assert {classify(status) for status in (500, 503, 504)} == {Answer.FAILED}
