//! `promptcraft recipes`: the catalogue of recipes.

mod add;
mod folder;
mod list;
mod show;
mod test;

use std::process::ExitCode;

use crate::error::CommandError;

/// List, show, test and add recipes: vetted code with tests, used without a language model
#[derive(clap::Subcommand)]
pub enum Recipes {
    List(list::List),
    Show(show::Show),
    Test(test::Test),
    Add(add::Add),
}

impl Recipes {
    pub async fn run(self) -> Result<ExitCode, CommandError> {
        match self {
            Self::List(command) => command.run().await,
            Self::Show(command) => command.run().await,
            Self::Test(command) => command.run().await,
            Self::Add(command) => command.run(),
        }
    }
}
