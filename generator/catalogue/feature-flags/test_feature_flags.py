import pytest

from feature_flags import BUCKETS, ROLLOUT_PERCENTAGE, Decision, FeatureFlags, Flag, UnknownFlag, bucket_of

USERS = [f"user-{number}" for number in range(4000)]


def share(flags, name):
    return sum(flags.is_enabled(name, user) for user in USERS) / len(USERS)


@pytest.mark.parametrize("percentage", [0, 1, 25, 50, 99, 100])
def test_a_rollout_reaches_its_share_of_users(percentage):
    flags = FeatureFlags({"search": Flag(rollout_percentage=percentage)})
    assert share(flags, "search") == pytest.approx(percentage / 100, abs=0.025)
    if percentage in (0, 100):
        assert share(flags, "search") == percentage / 100


def test_a_user_keeps_a_feature_while_its_rollout_grows():
    def enabled(percentage):
        flags = FeatureFlags({"search": Flag(rollout_percentage=percentage)})
        return {user for user in USERS if flags.is_enabled("search", user)}

    assert enabled(5) < enabled(20) < enabled(60)


def test_the_same_users_are_not_first_in_every_rollout():
    flags = FeatureFlags({name: Flag(rollout_percentage=50) for name in ("a", "b")})
    agree = sum(flags.is_enabled("a", user) == flags.is_enabled("b", user) for user in USERS)
    assert agree / len(USERS) == pytest.approx(0.5, abs=0.05)


def test_buckets_never_change():
    # These values are a promise: another hash would turn features on and off for everyone.
    assert [bucket_of("search", user) for user in ("ada", "grace", "")] == [1306, 9922, 6120]
    assert all(0 <= bucket_of("search", user) < BUCKETS for user in USERS)
    assert bucket_of("ab", "c") != bucket_of("a", "bc")


def test_a_flag_that_is_switched_off_is_off_for_everyone():
    flags = FeatureFlags({"search": Flag(enabled=False, allow_users=frozenset({"ada"}))})
    assert flags.decide("search", "ada") == Decision(False, "the flag is switched off")


def test_users_may_be_named():
    flag = Flag(rollout_percentage=0, allow_users=frozenset({"ada", "eve"}), deny_users=frozenset({"eve"}))
    flags = FeatureFlags({"search": flag})
    assert flags.decide("search", "ada") == Decision(True, "the user is included by name")
    assert flags.decide("search", "eve") == Decision(False, "the user is excluded by name")
    assert not flags.is_enabled("search", "grace")


def test_attributes_narrow_a_rollout():
    flag = Flag(rollout_percentage=100, attributes={"country": frozenset({"SE", "NO"}), "beta": frozenset({True})})
    flags = FeatureFlags({"search": flag})
    assert flags.is_enabled("search", "ada", {"country": "SE", "beta": True})
    abroad = flags.decide("search", "ada", {"country": "DE", "beta": True})
    assert abroad.reason == "the attribute country is not targeted"
    assert flags.decide("search", "ada", {"country": "SE"}).reason == "the attribute beta is not targeted"
    assert not flags.is_enabled("search", "ada")


def test_unknown_flags_are_an_error_unless_a_default_is_given():
    flags = FeatureFlags()
    with pytest.raises(UnknownFlag, match="serach"):
        flags.is_enabled("serach", "ada")
    assert flags.is_enabled("serach", "ada", default=True)
    assert not flags.is_enabled("serach", "ada", default=False)


def test_flags_can_change_while_the_application_runs():
    flags = FeatureFlags({"old": Flag()})
    flags.set("new", Flag(rollout_percentage=100))
    assert flags.names() == ["new", "old"]
    flags.replace({"new": Flag(enabled=False)})
    assert flags.names() == ["new"]
    assert not flags.is_enabled("new", "ada")


def test_flags_come_from_a_configuration_file():
    flags = FeatureFlags.from_settings(
        {
            "search": {"rollout_percentage": 0, "allow_users": ["ada"]},
            "export": {"rollout_percentage": 100, "attributes": {"plan": ["pro", "team"]}},
            "default": {},
        }
    )
    assert flags.is_enabled("search", "ada")
    assert flags.is_enabled("export", "grace", {"plan": "pro"})
    assert not flags.is_enabled("export", "grace", {"plan": "free"})
    reached = share(flags, "default") * 100
    assert reached == pytest.approx(ROLLOUT_PERCENTAGE, abs=2.5)


@pytest.mark.parametrize(
    "setting, reason",
    [
        ({"rolout": 5}, "search: rolout is not a setting"),
        ({"rollout_percentage": 101}, "0 to 100"),
        ({"rollout_percentage": -1}, "0 to 100"),
        ({"rollout_percentage": "50"}, "0 to 100"),
        ({"rollout_percentage": True}, "0 to 100"),
        ({"enabled": "no"}, "true or false"),
        ({"allow_users": "ada"}, "must be a list"),
        ({"attributes": {"plan": "pro"}}, "must be a list"),
    ],
)
def test_mistakes_in_the_configuration_are_named(setting, reason):
    with pytest.raises(ValueError, match=reason):
        FeatureFlags.from_settings({"search": setting})


def test_small_percentages_are_not_rounded_away():
    flags = FeatureFlags({"search": Flag(rollout_percentage=0.5)})
    assert 0 < share(flags, "search") < 0.02
