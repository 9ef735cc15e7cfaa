//! Receives the output of running jobs.

use std::time::Duration;

use actix_web::web;
use futures_util::StreamExt;
use messaging::LiveOutputChannel;
use service::lifecycle::Lifecycle;

use crate::workflows::state::Workflows;

/// Receives output until stopped; subscribes again when the broker ends the subscription.
pub(crate) async fn run_live_output_listener(
    channel: LiveOutputChannel,
    workflows: web::Data<Workflows>,
    lifecycle: Lifecycle,
) {
    let receive = async {
        loop {
            match channel.subscribe().await {
                Ok(mut outputs) => {
                    while let Some(output) = outputs.next().await {
                        workflows.live_output.publish(output);
                    }
                }
                Err(error) => tracing::warn!(%error, "Failed to receive output of running jobs; retrying: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    lifecycle.stopping().run_until_cancelled(receive).await;
}
