//! What the arguments of a search ask for.
//!
//! Arguments are read from left to right, and the first error is the reply, as in Redis. That includes errors about the
//! data: a member in the place of a centre is looked up when it is read. If the source is not there, its members need not
//! be, but the rest of the arguments must make sense.

use net::Args;
use storage::types::geohash::{Point, Polygon, Shape, Unit};
use storage::types::zset::ZSetRef;

use super::super::unit::{parse_length, parse_place, parse_unit};
use crate::commands::parse::{is_word, parse_i64};
use crate::exec::CommandError;
use crate::exec::error::SYNTAX;

/// The member in the place of a centre is not there.
const NO_MEMBER: CommandError = CommandError::new("ERR could not decode requested zset member");
const RADIUS_NOT_NUMERIC: CommandError = CommandError::new("ERR need numeric radius");
const WIDTH_NOT_NUMERIC: CommandError = CommandError::new("ERR need numeric width");
const HEIGHT_NOT_NUMERIC: CommandError = CommandError::new("ERR need numeric height");
const RADIUS_NEGATIVE: CommandError = CommandError::new("ERR radius cannot be negative");
const SIDE_NEGATIVE: CommandError = CommandError::new("ERR height or width cannot be negative");
const COUNT_NOT_POSITIVE: CommandError = CommandError::new("ERR COUNT must be > 0");
const ANY_WITHOUT_COUNT: CommandError = CommandError::new("ERR the ANY argument requires COUNT argument");
/// The fewest vertices of a polygon.
const VERTICES_MIN: usize = 3;
const FEW_VERTICES: CommandError = CommandError::new("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices");

/// Which command it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// GEOSEARCH.
    Search,
    /// GEOSEARCHSTORE.
    SearchStore,
    /// GEORADIUS, which stores or only reads.
    Radius {
        /// It takes STORE and STOREDIST.
        stores: bool,
    },
    /// GEORADIUSBYMEMBER, which stores or only reads.
    RadiusByMember {
        /// It takes STORE and STOREDIST.
        stores: bool,
    },
}

impl Syntax {
    /// Where the key of the source stands.
    pub(super) const fn source(self) -> usize {
        match self {
            Syntax::SearchStore => 2,
            _ => 1,
        }
    }

    /// Where the options begin.
    const fn options(self) -> usize {
        match self {
            Syntax::Search => 2,
            Syntax::SearchStore => 3,
            Syntax::RadiusByMember { .. } => 5,
            Syntax::Radius { .. } => 6,
        }
    }

    /// Whether centre and shape are among the options.
    pub(super) const fn is_search(self) -> bool {
        matches!(self, Syntax::Search | Syntax::SearchStore)
    }

    const fn stores_by_option(self) -> bool {
        matches!(self, Syntax::Radius { stores: true } | Syntax::RadiusByMember { stores: true })
    }
}

/// In which order members are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As they come.
    None,
    /// The nearest first.
    Ascending,
    /// The farthest first.
    Descending,
}

/// What is replied besides a member.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct With {
    /// Its distance.
    pub(super) distance: bool,
    /// Its score.
    pub(super) hash: bool,
    /// Its place.
    pub(super) place: bool,
}

/// Where the members found are stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Store<'a> {
    /// The key.
    pub(super) key: &'a [u8],
    /// With their distances as scores.
    pub(super) distances: bool,
}

/// A search.
pub(super) struct Request<'a> {
    /// The area; `None` if its centre is a member of a source that is not there.
    pub(super) shape: Option<Shape>,
    /// What lengths are in.
    pub(super) unit: Unit,
    /// In which order.
    pub(super) order: Order,
    /// How many at most.
    pub(super) count: Option<usize>,
    /// Any so many will do, not just the first in order.
    pub(super) any: bool,
    /// What else is replied.
    pub(super) with: With,
    /// Where to store, if it is to be stored.
    pub(super) store: Option<Store<'a>>,
}

/// The form of an area, yet without its centre.
#[derive(Clone, Debug)]
enum Outline {
    Circle { radius: f64 },
    Rectangle { width: f64, height: f64 },
    Polygon(Polygon),
}

impl Outline {
    /// The area, if its centre is known. A polygon has its own.
    fn around(self, centre: Option<Point>) -> Option<Shape> {
        match (self, centre) {
            (Outline::Polygon(polygon), _) => Some(Shape::Polygon(polygon)),
            (Outline::Circle { radius }, Some(centre)) => Some(Shape::Circle { centre, radius }),
            (Outline::Rectangle { width, height }, Some(centre)) => Some(Shape::Rectangle { centre, width, height }),
            (_, None) => None,
        }
    }
}

/// What is known of an area while the arguments are read.
#[derive(Default)]
struct Area {
    /// A centre was given as a place.
    by_place: bool,
    /// A centre was given as a member.
    by_member: bool,
    /// The centre; `None` also if it is a member of a source that is not there.
    centre: Option<Point>,
    outline: Option<Outline>,
}

impl Area {
    fn has_centre(&self) -> bool {
        self.by_place || self.by_member
    }

    fn is_circle(&self) -> bool {
        matches!(self.outline, Some(Outline::Circle { .. }))
    }

    fn is_rectangle(&self) -> bool {
        matches!(self.outline, Some(Outline::Rectangle { .. }))
    }

    fn is_polygon(&self) -> bool {
        matches!(self.outline, Some(Outline::Polygon(_)))
    }
}

impl<'a> Request<'a> {
    /// Reads it; `source` is what is at the source's key.
    pub(super) fn parse(
        args: &Args<'a>,
        syntax: Syntax,
        source: Option<ZSetRef<'_>>,
    ) -> Result<Request<'a>, CommandError> {
        let store = (syntax == Syntax::SearchStore).then(|| Store { key: args.at(1), distances: false });
        let mut request = Request {
            shape: None,
            unit: Unit::Metre,
            order: Order::None,
            count: None,
            any: false,
            with: With::default(),
            store,
        };
        let mut area = Area::default();
        request.read_fixed_area(args, syntax, source, &mut area)?;
        let mut place = syntax.options();
        while place < args.len() {
            let rest = args.skip(place);
            let used = match request.read_option(&rest, syntax)? {
                0 if syntax.is_search() => request.read_area(&rest, source, &mut area)?,
                used => used,
            };
            if used == 0 {
                return Err(SYNTAX);
            }
            place += used;
        }
        request.check(args, syntax, &area)?;
        request.shape = area.outline.and_then(|outline| outline.around(area.centre));
        Ok(request)
    }

    /// The area of the commands that have it in fixed places.
    fn read_fixed_area(
        &mut self,
        args: &Args<'_>,
        syntax: Syntax,
        source: Option<ZSetRef<'_>>,
        area: &mut Area,
    ) -> Result<(), CommandError> {
        match (syntax, source) {
            (Syntax::Search | Syntax::SearchStore, _) | (Syntax::RadiusByMember { .. }, None) => Ok(()),
            (Syntax::Radius { .. }, _) => {
                area.centre = Some(parse_place(args.at(2), args.at(3))?);
                self.read_circle(args.at(4), args.at(5), area)
            }
            (Syntax::RadiusByMember { .. }, Some(set)) => {
                area.centre = Some(member_place(set, args.at(2))?);
                self.read_circle(args.at(3), args.at(4), area)
            }
        }
    }

    /// Reads an option that has nothing to do with the area; how many arguments it takes, 0 if it is none.
    fn read_option(&mut self, rest: &Args<'a>, syntax: Syntax) -> Result<usize, CommandError> {
        let (word, next) = (rest.at(0), rest.get(1));
        match (word, next) {
            _ if is_word(word, "WITHDIST") => self.with.distance = true,
            _ if is_word(word, "WITHHASH") => self.with.hash = true,
            _ if is_word(word, "WITHCOORD") => self.with.place = true,
            _ if is_word(word, "ANY") => self.any = true,
            _ if is_word(word, "ASC") => self.order = Order::Ascending,
            _ if is_word(word, "DESC") => self.order = Order::Descending,
            (_, Some(count)) if is_word(word, "COUNT") => {
                let count = usize::try_from(parse_i64(count)?).ok().filter(|&count| count > 0);
                self.count = Some(count.ok_or(COUNT_NOT_POSITIVE)?);
                return Ok(2);
            }
            (_, Some(key)) if syntax.stores_by_option() && is_word(word, "STORE") => {
                self.store = Some(Store { key, distances: false });
                return Ok(2);
            }
            (_, Some(key)) if syntax.stores_by_option() && is_word(word, "STOREDIST") => {
                self.store = Some(Store { key, distances: true });
                return Ok(2);
            }
            _ if syntax == Syntax::SearchStore && is_word(word, "STOREDIST") => {
                self.store = self.store.map(|store| Store { distances: true, ..store });
            }
            _ => return Ok(0),
        }
        Ok(1)
    }

    /// Reads what GEOSEARCH says of the area; how many arguments it takes, 0 if it is nothing of that.
    fn read_area(
        &mut self,
        rest: &Args<'_>,
        source: Option<ZSetRef<'_>>,
        area: &mut Area,
    ) -> Result<usize, CommandError> {
        let (word, left) = (rest.at(0), rest.len() - 1);
        match word {
            _ if area.is_polygon() => Ok(0),
            _ if is_word(word, "FROMMEMBER") && left >= 1 && !area.by_place => {
                area.centre = source.map(|set| member_place(set, rest.at(1))).transpose()?;
                area.by_member = true;
                Ok(2)
            }
            _ if is_word(word, "FROMLONLAT") && left >= 2 && !area.by_member => {
                area.centre = Some(parse_place(rest.at(1), rest.at(2))?);
                area.by_place = true;
                Ok(3)
            }
            _ if is_word(word, "BYRADIUS") && left >= 2 && !area.is_rectangle() => {
                self.read_circle(rest.at(1), rest.at(2), area)?;
                Ok(3)
            }
            _ if is_word(word, "BYBOX") && left >= 3 && !area.is_circle() => {
                self.read_rectangle(rest, area)?;
                Ok(4)
            }
            _ if is_word(word, "BYPOLYGON") && left >= 1 && !area.has_centre() && area.outline.is_none() => {
                read_polygon(rest, area)
            }
            _ => Ok(0),
        }
    }

    fn read_circle(&mut self, radius: &[u8], unit: &[u8], area: &mut Area) -> Result<(), CommandError> {
        let radius = parse_length(radius, RADIUS_NOT_NUMERIC)?;
        if radius < 0.0 {
            return Err(RADIUS_NEGATIVE);
        }
        self.unit = parse_unit(unit)?;
        area.outline = Some(Outline::Circle { radius: radius * self.unit.metres() });
        Ok(())
    }

    fn read_rectangle(&mut self, rest: &Args<'_>, area: &mut Area) -> Result<(), CommandError> {
        let width = parse_length(rest.at(1), WIDTH_NOT_NUMERIC)?;
        let height = parse_length(rest.at(2), HEIGHT_NOT_NUMERIC)?;
        if width < 0.0 || height < 0.0 {
            return Err(SIDE_NEGATIVE);
        }
        self.unit = parse_unit(rest.at(3))?;
        let metres = self.unit.metres();
        area.outline = Some(Outline::Rectangle { width: width * metres, height: height * metres });
        Ok(())
    }

    /// What contradicts itself, or is missing.
    fn check(&self, args: &Args<'_>, syntax: Syntax, area: &Area) -> Result<(), CommandError> {
        let With { distance, hash, place } = self.with;
        if self.store.is_some() && (distance || hash || place) {
            let option = if syntax == Syntax::SearchStore { "GEOSEARCHSTORE" } else { "STORE option in GEORADIUS" };
            let text = format!("ERR {option} is not compatible with WITHDIST, WITHHASH and WITHCOORD options");
            return Err(CommandError::text(text));
        }
        if syntax.is_search() && !area.has_centre() && !area.is_polygon() {
            return Err(not_one_of("FROMMEMBER or FROMLONLAT", args.at(0)));
        }
        if syntax.is_search() && area.outline.is_none() {
            return Err(not_one_of("BYRADIUS and BYBOX", args.at(0)));
        }
        if self.any && self.count.is_none() { Err(ANY_WITHOUT_COUNT) } else { Ok(()) }
    }
}

/// `command` is its name as the client wrote it.
fn not_one_of(options: &str, command: &[u8]) -> CommandError {
    CommandError::bytes([format!("ERR exactly one of {options} can be specified for ").as_bytes(), command].concat())
}

fn member_place(set: ZSetRef<'_>, member: &[u8]) -> Result<Point, CommandError> {
    set.score(member).map(Point::from_score).ok_or(NO_MEMBER)
}

fn read_polygon(rest: &Args<'_>, area: &mut Area) -> Result<usize, CommandError> {
    let count = usize::try_from(parse_i64(rest.at(1))?).unwrap_or(0);
    let end = count.checked_mul(2).and_then(|degrees| degrees.checked_add(2)).filter(|&end| end <= rest.len());
    if count < VERTICES_MIN {
        return Err(FEW_VERTICES);
    }
    let end = end.ok_or(SYNTAX)?;
    let vertices = (2..end).step_by(2).map(|place| parse_place(rest.at(place), rest.at(place + 1)));
    let polygon = Polygon::new(vertices.collect::<Result<_, _>>()?);
    area.outline = Some(Outline::Polygon(polygon.expect("there are three vertices at least")));
    Ok(end)
}
