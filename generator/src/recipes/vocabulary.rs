//! Common words of goals: those that say nothing about what is wanted, and those that say it is something else.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::tokenize::stem;

/// Words as they are written.
type Words = LazyLock<HashSet<&'static str>>;
/// Words in all their forms.
type Stems = LazyLock<HashSet<String>>;

fn split(list: &'static str) -> HashSet<&'static str> {
    list.split_whitespace().collect()
}

fn stems_of(list: &'static str) -> HashSet<String> {
    list.split_whitespace().map(stem).collect()
}

/// Grammar. It does not separate the words of a phrase.
pub(crate) static STOP: Stems = LazyLock::new(|| {
    stems_of(
        "a an the of in on at to for from by with and or as is are be it its this that these those which who whose i we you me us my your \
    some any all each every into onto over under up via per then so if when where while also just please can could should would will shall must \
    may might do does did has have had there their them they o s t e g eg ie etc using use uses one such like based new way \
    only but now let lets help both between out off than more most very really own",
    )
});

/// Words that say nothing about what is wanted: politeness, praise, and the forms in which every recipe comes. A word
/// that states a requirement does not belong here.
pub(crate) static FILLER: Stems = LazyLock::new(|| {
    stems_of(
        "create write writing build building make making implement implementing develop developing design produce provide give need want code \
    coding code function functions module library script program package python py python3 coverage case cases edge \
    secure securely simple simply basic robust clean cleanly good best well great nice nicely neat proper properly correct correctly complete full \
    fully production ready grade level solid elegant lightweight self contained standalone quality high efficient efficiently fast quick quickly small \
    short little tiny minimal minimalistic modern advanced comprehensive thorough document \
    docs example examples usage standard stdlib dependency dependencies pure native idiomatic readable maintainable extensive understandable \
    handle handling error errors support supports supporting include including implementation solution feature features util utility helper tool \
    takes take taking accept accepting return returning input output result given algorithm logic pep8 pep demo sample task goal type types \
    workflow iteration stress step reusable safe safely work works working reliable method methods object objects \
    snippet component follow practice practices system operation operations complexity performance performant perform performs allow \
    allows compatible run runs version kindly thanks thank pls plz hi hey dear hello would love like thx cheers appreciate again today urgently asap \
    quickly exactly straightforward classic typical common commonly usual well-known known popular famous everyday beginner friendly novice newbie \
    learner homework assignment exercise interview kata practice portfolio learning purpose purposes explained ideally preferably possibly maybe perhaps \
    able ability capable whether following below above called named naming name style styled convention conventions compliant lint linted formatted black ruff flake8 \
    senior professional professionally quality polished battle proven sturdy decent fine awesome cool easy easily clear clearly concise compact tidy \
    structured organised organized commented explanation explanatory meaningful helpful descriptive informative sensible appropriate useful \
    main entry point guard reasonable necessary needed required requirement requirements mind ensure ensuring sure make guarantee \
    team developer engineer teacher boss friend colleague student students project api-free come comes coming ship ships shipping \
    accompanied alongside together plus thoroughly tested carefully strict strictly everything thing things something anything stuff \
    ok okay want wants wanted wish looking seeking require assist generate generating generated real world",
    )
});

/// Requests about something that exists, or for another kind of work or product. No recipe serves these unless it
/// names the word itself.
pub(crate) static BLOCKERS: Stems = LazyLock::new(|| {
    stems_of(
        "explain why describe compare versus review audit refactor rewrite optimise optimize debug fix repair migrate port upgrade \
    translate integrate deploy attack crack bypass exploit break hack steal brute remove delete existing our legacy current tutorial article essay \
    blog slides presentation diagram website webpage frontend backend react vue angular svelte django flask fastapi kubernetes docker terraform aws \
    azure gcp android ios mobile game gui desktop microservice microservices grpc graphql kafka redis mongodb postgres postgresql mysql rest \
    endpoint fpga arduino firmware kernel driver benchmark profile monitor dashboard visualise visualize animation bot crawler scraper train model \
    neural gpt llm excel powershell makefile dockerfile helm ansible chrome extension plugin wordpress \
    malware keylogger ransomware virus phishing spyware",
    )
});

/// Audiences, which say nothing about the thing itself: "for a web API", "for our new service", "for my math class".
pub(crate) static AUDIENCES: Words = LazyLock::new(|| {
    split(
        "api apis app apps application applications service services server servers site website websites backend project projects \
        product company team teams platform startup beginner beginners student students user users class course homework \
        assignment school university interview interviews exam portfolio kids children lesson workshop bootcamp hackathon \
        colleagues coworkers friend boss teacher clients customers me us production purposes",
    )
});
/// Words that may stand between "for" and the audience. Any other, such as a framework's name, makes it part of what is asked for.
pub(crate) static AUDIENCE_MODIFIERS: Words = LazyLock::new(|| {
    split(
        "a an the my our your any some this web rest restful http public internal small simple new python backend math maths \
        science computer cs programming coding school university college first job technical upcoming educational learning demo",
    )
});

/// Words that may follow an audience; another noun would make a compound of it ("for API gateways").
pub(crate) const ENDERS: &[&str] = &[
    "with",
    "using",
    "in",
    "and",
    "that",
    "which",
    "by",
    "including",
    "based",
    "without",
    "to",
    "please",
    "so",
    "where",
];
