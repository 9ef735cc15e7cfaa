//! Pages of lists: `limit`, an opaque `cursor`, and filters in the query.

use actix_web::{HttpRequest, web};
use shared::clock::Timestamp;
use shared::ids::WorkflowId;
use shared::read_model::Stored;

use crate::problem::{FieldError, Problem};

const DEFAULT: usize = 20;
const MOST: usize = 100;

/// The parameters of a query, each read once.
#[derive(Debug)]
pub(crate) struct Query {
    values: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

/// A place in a list that is sorted by creation, newest first.
pub(crate) type Place = (Timestamp, WorkflowId);

impl Query {
    pub(crate) fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let query = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
        let values = query.map_err(|_| Problem::invalid_field("query", "must be name=value pairs"))?;
        Ok(Self { values: values.into_inner(), errors: Vec::new() })
    }

    fn wrong(&mut self, field: &str, message: &str) {
        self.errors.push(FieldError { field: field.to_owned(), message: message.to_owned() });
    }

    /// A parameter that `read` takes; empty counts as left out, and the last counts where it is repeated.
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

    /// As [`Self::read`], of a parameter that counts each time it is given.
    pub(crate) fn read_all<T>(&mut self, name: &str, message: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let given = self.values.iter().filter(|(known, value)| known == name && !value.is_empty());
        let values: Vec<Option<T>> = given.map(|(_, value)| read(value)).collect();
        if values.iter().any(Option::is_none) {
            self.wrong(name, message);
        }
        values.into_iter().flatten().collect()
    }

    /// How many items a page has.
    pub(crate) fn limit(&mut self) -> usize {
        let read = |text: &str| text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
        self.read("limit", "must be a whole number from 1 to 100", read).unwrap_or(DEFAULT)
    }

    /// Where the page begins.
    pub(crate) fn cursor(&mut self) -> Option<Place> {
        self.read("cursor", "must be the next_cursor of the page before", read_cursor)
    }

    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }
}

/// Where a workflow stands in a list.
pub(crate) fn place_of(stored: &Stored) -> Place {
    (stored.workflow.created_at, stored.workflow.id)
}

/// The cursor that continues behind a place.
pub(crate) fn cursor_after((at, id): Place) -> String {
    format!("{:x}.{id}", at.as_millis())
}

fn read_cursor(text: &str) -> Option<Place> {
    let (at, id) = text.split_once('.')?;
    let at = i64::from_str_radix(at, 16).ok().filter(|millis| *millis >= 0)?;
    Some((Timestamp::from_millis(at), id.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::submitted;

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        let stored = Stored { sequence: 1, workflow: submitted("ann") };
        let place = place_of(&stored);
        assert_eq!(read_cursor(&cursor_after(place)), Some(place));
        for bad in
            ["", ".", "1", "1.x", "-1.018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3", "zz.018f3a52-61d7-7b0e-9a54-2f0f51c7a9d3"]
        {
            assert_eq!(read_cursor(bad), None, "{bad}");
        }
    }
}
