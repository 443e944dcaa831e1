//! Where a client stands in the log. Opaque to clients: they keep it and send it back.

use crate::id::SiteId;

use super::{Number, Place};

/// How far the log of the whole database was heard. Messages and other events are numbered apart, each in the order of
/// commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// The last message.
    pub message: i64,
    /// The last other event.
    pub event: i64,
}

impl Position {
    /// The further of both, in each part.
    pub fn max(self, other: Position) -> Position {
        Position { message: self.message.max(other.message), event: self.event.max(other.event) }
    }

    /// Was this heard?
    pub fn contains(self, number: Number) -> bool {
        match number {
            Number::Message(id) => id <= self.message,
            Number::Event(id) => id <= self.event,
        }
    }

    /// With this heard too.
    pub fn with(self, number: Number) -> Position {
        self.max(match number {
            Number::Message(message) => Position { message, event: 0 },
            Number::Event(event) => Position { message: 0, event },
        })
    }
}

/// Up to where somebody has heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    /// A visitor's page: up to a number of its site's log.
    Site(SiteId, i64),
    /// A console, whose sites may be very many: up to a position of the whole database's.
    Everything(Position),
}

/// The epoch of the database, and up to where its events were heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    epoch: String,
    heard: Heard,
}

impl Cursor {
    /// Of a visitor's page.
    pub fn of_site(epoch: &str, site: SiteId, n: i64) -> Cursor {
        Cursor { epoch: epoch.to_owned(), heard: Heard::Site(site, n) }
    }

    /// Of a console.
    pub fn of_everything(epoch: &str, position: Position) -> Cursor {
        Cursor { epoch: epoch.to_owned(), heard: Heard::Everything(position) }
    }

    /// `epoch.site-n`, or `epoch.message.event`.
    pub fn to_text(&self) -> String {
        match self.heard {
            Heard::Site(site, n) => format!("{}.{site}-{n}", self.epoch),
            Heard::Everything(Position { message, event }) => format!("{}.{message}.{event}", self.epoch),
        }
    }

    /// Reads [`Self::to_text`]; none when it is not a cursor.
    pub fn parse(text: &str) -> Option<Cursor> {
        let (epoch, heard) = text.split_once('.').filter(|(epoch, _)| !epoch.is_empty())?;
        let heard = match heard.split_once('.') {
            Some((message, event)) => Heard::Everything(Position { message: number(message)?, event: number(event)? }),
            None => {
                let (site, n) = heard.split_once('-')?;
                Heard::Site(SiteId(site.parse().ok()?), number(n)?)
            }
        };
        Some(Cursor { epoch: epoch.to_owned(), heard })
    }

    /// The last event heard on a site; none when the cursor is of another life of the database, or not of that site.
    pub fn on_site(&self, epoch: &str, site: SiteId) -> Option<i64> {
        match self.heard {
            Heard::Site(of, n) if of == site && self.epoch == epoch => Some(n),
            Heard::Site(..) | Heard::Everything(_) => None,
        }
    }

    /// How far everything was heard; none when the cursor is of another life of the database, or of one site.
    pub fn position(&self, epoch: &str) -> Option<Position> {
        match self.heard {
            Heard::Everything(position) if self.epoch == epoch => Some(position),
            Heard::Site(..) | Heard::Everything(_) => None,
        }
    }

    /// Notes an event as heard; false when it was before.
    pub fn hear(&mut self, place: Place) -> bool {
        match &mut self.heard {
            Heard::Site(_, n) if *n < place.n => *n = place.n,
            Heard::Everything(position) if !position.contains(place.number) => *position = position.with(place.number),
            Heard::Site(..) | Heard::Everything(_) => return false,
        }
        true
    }

    /// Notes that there is nothing more for a console up to here.
    pub fn pass(&mut self, passed: Position) {
        if let Heard::Everything(position) = &mut self.heard {
            *position = position.max(passed);
        }
    }
}

fn number(text: &str) -> Option<i64> {
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
        assert_eq!(console.position("life"), Some(Position { message: 40, event: 2 }));
        assert_eq!((console.position("other"), console.on_site("life", SiteId(40))), (None, None));
    }

    #[test]
    fn what_was_heard_is_heard_once() {
        let mut console = Cursor::parse("life.40.2").expect("a console's");
        let message = Place { n: 1, number: Number::Message(41) };
        assert!(console.hear(message) && !console.hear(message));
        assert!(console.hear(Place { n: 2, number: Number::Event(41) }));
        assert_eq!(console.to_text(), "life.41.41");
        console.pass(Position { message: 90, event: 3 });
        assert_eq!(console.to_text(), "life.90.41");
        let mut page = Cursor::parse("life.3-17").expect("a page's");
        assert!(!page.hear(Place { n: 17, number: Number::Message(90) }));
        assert!(page.hear(Place { n: 18, number: Number::Event(1) }));
        page.pass(Position { message: 900, event: 900 });
        assert_eq!(page.to_text(), "life.3-18");
    }
}
