//! Pages of lists: `limit`, an opaque `cursor`, and filters in the query.

use actix_web::{HttpRequest, web};
use read_model::ListPosition;

use crate::http::problem::{FieldError, Problem};

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

/// The parameters of a query, with their errors.
#[derive(Debug)]
pub(crate) struct QueryParams {
    values: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl QueryParams {
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let query = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
        let values = query.map_err(|_| Problem::invalid_field("query", "must be name=value pairs"))?;
        Ok(Self { values: values.into_inner(), errors: Vec::new() })
    }

    fn wrong(&mut self, field: &str, message: &str) {
        self.errors.push(FieldError { field: field.to_owned(), message: message.to_owned() });
    }

    /// Reads a parameter. An empty one counts as absent; if repeated, the last one counts.
    pub(crate) fn read<T>(&mut self, name: &str, message: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let (_, value) = self.values.iter().rev().find(|(known, _)| known == name)?;
        if value.is_empty() {
            return None;
        }
        let value = read(value);
        if value.is_none() {
            self.wrong(name, message);
        }
        value
    }

    /// Reads a parameter that may be repeated.
    pub(crate) fn read_all<T>(&mut self, name: &str, message: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let given = self.values.iter().filter(|(known, value)| known == name && !value.is_empty());
        let values: Vec<Option<T>> = given.map(|(_, value)| read(value)).collect();
        if values.iter().any(Option::is_none) {
            self.wrong(name, message);
        }
        values.into_iter().flatten().collect()
    }

    /// Reads the number of items of a page.
    pub(crate) fn limit(&mut self) -> usize {
        let read = |text: &str| text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
        self.read("limit", "must be a whole number from 1 to 100", read).unwrap_or(DEFAULT_LIMIT)
    }

    /// Reads the start of the page.
    pub(crate) fn cursor(&mut self) -> Option<ListPosition> {
        self.read("cursor", "must be the next_cursor of the page before", |text| text.parse().ok())
    }

    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }
}
