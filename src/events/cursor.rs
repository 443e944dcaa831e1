//! A client's position in the event log. Opaque to clients: they store it and send it back.

use crate::id::SiteId;

use super::{EventNumbers, GlobalNumber};

/// A position in the log of the whole database. Messages and other events are numbered separately, each in commit order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogPosition {
    /// The last message.
    pub message: i64,
    /// The last other event.
    pub event: i64,
}

impl LogPosition {
    /// The higher number of both, in each part.
    pub fn max(self, other: LogPosition) -> LogPosition {
        LogPosition { message: self.message.max(other.message), event: self.event.max(other.event) }
    }

    /// Whether this event is at or before the position.
    pub fn contains(self, global: GlobalNumber) -> bool {
        match global {
            GlobalNumber::Message(id) => id <= self.message,
            GlobalNumber::Event(id) => id <= self.event,
        }
    }

    /// The position advanced to this event.
    pub fn with(self, global: GlobalNumber) -> LogPosition {
        self.max(match global {
            GlobalNumber::Message(message) => LogPosition { message, event: 0 },
            GlobalNumber::Event(event) => LogPosition { message: 0, event },
        })
    }
}

/// The last event that a client has received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Upto {
    /// A visitor's page: a number of its site's log.
    Site(SiteId, i64),
    /// A console, which may have very many sites: a position in the log of the whole database.
    Everything(LogPosition),
}

/// The epoch of the database, and the last event received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    epoch: String,
    upto: Upto,
}

impl Cursor {
    /// The cursor of a visitor's page.
    pub fn of_site(epoch: &str, site: SiteId, n: i64) -> Cursor {
        Cursor { epoch: epoch.to_owned(), upto: Upto::Site(site, n) }
    }

    /// The cursor of a console.
    pub fn of_everything(epoch: &str, position: LogPosition) -> Cursor {
        Cursor { epoch: epoch.to_owned(), upto: Upto::Everything(position) }
    }

    /// `epoch.site-n`, or `epoch.message.event`.
    pub fn to_text(&self) -> String {
        match self.upto {
            Upto::Site(site, n) => format!("{}.{site}-{n}", self.epoch),
            Upto::Everything(LogPosition { message, event }) => format!("{}.{message}.{event}", self.epoch),
        }
    }

    /// Parses the output of [`Self::to_text`]; `None` for anything else.
    pub fn parse(text: &str) -> Option<Cursor> {
        let (epoch, upto) = text.split_once('.').filter(|(epoch, _)| !epoch.is_empty())?;
        let upto = match upto.split_once('.') {
            Some((message, event)) => {
                Upto::Everything(LogPosition { message: parse_number(message)?, event: parse_number(event)? })
            }
            None => {
                let (site, n) = upto.split_once('-')?;
                Upto::Site(SiteId(site.parse().ok()?), parse_number(n)?)
            }
        };
        Some(Cursor { epoch: epoch.to_owned(), upto })
    }

    /// The last event received on a site; `None` when the cursor is of another epoch or another site.
    pub fn on_site(&self, epoch: &str, site: SiteId) -> Option<i64> {
        match self.upto {
            Upto::Site(of, n) if of == site && self.epoch == epoch => Some(n),
            Upto::Site(..) | Upto::Everything(_) => None,
        }
    }

    /// A console's position in the log; `None` when the cursor is of another epoch, or of a page.
    pub fn position(&self, epoch: &str) -> Option<LogPosition> {
        match self.upto {
            Upto::Everything(position) if self.epoch == epoch => Some(position),
            Upto::Site(..) | Upto::Everything(_) => None,
        }
    }

    /// Advances past an event; false when the cursor was past it already.
    pub fn advance(&mut self, numbers: EventNumbers) -> bool {
        match &mut self.upto {
            Upto::Site(_, n) if *n < numbers.n => *n = numbers.n,
            Upto::Everything(position) if !position.contains(numbers.global) => {
                *position = position.with(numbers.global)
            }
            Upto::Site(..) | Upto::Everything(_) => return false,
        }
        true
    }

    /// Skips a console's cursor to a position up to which there are no further events for it.
    pub fn skip_to(&mut self, to: LogPosition) {
        if let Upto::Everything(position) = &mut self.upto {
            *position = position.max(to);
        }
    }
}

fn parse_number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|n| *n >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        for text in ["life.3-17", "life.40.2", "life.0.0"] {
            assert_eq!(Cursor::parse(text).expect(text).to_text(), text);
        }
        for text in ["", "life", "life.", ".1.2", "life.1.-2", "life.1-2.3-4", "life.1.2.3", "life.x-1", "life.1-"] {
            assert!(Cursor::parse(text).is_none(), "{text:?}");
        }
    }

    /// A console's cursor had a number for each of its sites once.
    #[test]
    fn what_consoles_held_before_is_no_position() {
        for text in ["life", "life.1-4", "life.1-4.2-9", "life.1-4.2-9.3-1"] {
            assert!(Cursor::parse(text).and_then(|held| held.position("life")).is_none(), "{text:?}");
        }
    }

    #[test]
    fn each_is_of_its_own_life_and_of_its_own_kind() {
        let page = Cursor::parse("life.3-17").expect("a page's");
        assert_eq!(page.on_site("life", SiteId(3)), Some(17));
        assert_eq!((page.on_site("life", SiteId(4)), page.on_site("other", SiteId(3))), (None, None));
        let console = Cursor::parse("life.40.2").expect("a console's");
        assert_eq!(console.position("life"), Some(LogPosition { message: 40, event: 2 }));
        assert_eq!((console.position("other"), console.on_site("life", SiteId(40))), (None, None));
    }

    #[test]
    fn an_event_is_passed_once() {
        let mut console = Cursor::parse("life.40.2").expect("a console's");
        let message = EventNumbers { n: 1, global: GlobalNumber::Message(41) };
        assert!(console.advance(message) && !console.advance(message));
        assert!(console.advance(EventNumbers { n: 2, global: GlobalNumber::Event(41) }));
        assert_eq!(console.to_text(), "life.41.41");
        console.skip_to(LogPosition { message: 90, event: 3 });
        assert_eq!(console.to_text(), "life.90.41");
        let mut page = Cursor::parse("life.3-17").expect("a page's");
        assert!(!page.advance(EventNumbers { n: 17, global: GlobalNumber::Message(90) }));
        assert!(page.advance(EventNumbers { n: 18, global: GlobalNumber::Event(1) }));
        page.skip_to(LogPosition { message: 900, event: 900 });
        assert_eq!(page.to_text(), "life.3-18");
    }
}
