//! The parts of the application state. Each handler names the parts that it uses.

use actix_web::web;
use messaging::DeadLetters;
use service::lifecycle::Lifecycle;

use crate::analysis::analyze::Analyses;
use crate::approvals::decide::Decisions;
use crate::auth::state::Auth;
use crate::executions::events::EventStreams;
use crate::executions::submit::Submitter;
use crate::executions::wait::Waiter;
use crate::http::body::BodyMemoryBudget;
use crate::http::hosts::Hosts;
use crate::limits::admission::RateLimits;
use crate::middleware::access_log::AccessLog;
use crate::middleware::observe::RunningRequests;
use crate::recipes::catalogue::RecipeCatalogue;
use crate::workflows::peers::Peers;
use crate::workflows::state::Workflows;

/// Every part, one of each per process. No response depends on state that another instance lacks.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) access_log: web::Data<AccessLog>,
    pub(crate) analyses: web::Data<Analyses>,
    pub(crate) auth: web::Data<Auth>,
    pub(crate) decisions: web::Data<Decisions>,
    pub(crate) event_streams: web::Data<EventStreams>,
    pub(crate) hosts: web::Data<Hosts>,
    pub(crate) dead_letters: web::Data<DeadLetters>,
    pub(crate) lifecycle: web::Data<Lifecycle>,
    pub(crate) limits: web::Data<RateLimits>,
    pub(crate) peers: web::Data<Peers>,
    pub(crate) recipes: web::Data<RecipeCatalogue>,
    pub(crate) body_memory: web::Data<BodyMemoryBudget>,
    pub(crate) running: web::Data<RunningRequests>,
    pub(crate) submitter: web::Data<Submitter>,
    pub(crate) waiter: web::Data<Waiter>,
    pub(crate) workflows: web::Data<Workflows>,
}

impl AppState {
    /// Registers every part with the application.
    pub(crate) fn register(self, config: &mut web::ServiceConfig) {
        config
            .app_data(self.access_log)
            .app_data(self.analyses)
            .app_data(self.auth)
            .app_data(self.decisions)
            .app_data(self.event_streams)
            .app_data(self.hosts)
            .app_data(self.dead_letters)
            .app_data(self.lifecycle)
            .app_data(self.limits)
            .app_data(self.peers)
            .app_data(self.recipes)
            .app_data(self.body_memory)
            .app_data(self.running)
            .app_data(self.submitter)
            .app_data(self.waiter)
            .app_data(self.workflows);
    }
}
