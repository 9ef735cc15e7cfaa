//! End-to-end tests of the stack in containers. They are ignored unless asked for, because `scripts/compose-test.sh` must
//! have started the stack, whose address and project it passes in `COMPOSE_URL` and `COMPOSE_PROJECT_NAME`.
//!
//! All share one stack and disturb it, so they run one after the other.

mod containers;
mod kills;
mod requests;
mod scaling;
mod walls;
mod workflows;
