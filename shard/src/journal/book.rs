//! The journal of one shard.

use net::Args;

use super::record::{Word, put_args, put_words};
use crate::ids::{DbId, ShardId};

const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";
const EXEC: &[u8] = b"*1\r\n$4\r\nEXEC\r\n";

/// So much room is kept from one taking of the records to the next, in bytes.
pub const BYTES_KEPT: usize = 256 * 1024;

/// The journal of a shard, or of a place where keys of shards are that are away from home.
#[derive(Debug, Default)]
pub struct Journal {
    mode: Mode,
    /// The command that runs has told what it did: its arguments are no record.
    told: bool,
    /// More commands of the same unit may follow.
    open: bool,
    records: Vec<u8>,
    /// Where the next records go when these are taken: empty.
    spare: Vec<u8>,
    /// The database that is selected at the end of the records.
    selected: Option<DbId>,
    unit: Unit,
    /// Stretches that are complete, before the records.
    stretches: Vec<Stretch>,
    /// What was recorded away from home.
    away: Vec<Away>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    /// Nobody reads it.
    #[default]
    Off,
    /// Of a shard.
    Home,
    /// Of keys that are away from home, of one shard or of several.
    Away,
}

/// The records of one command, transaction or script.
#[derive(Clone, Copy, Debug, Default)]
struct Unit {
    /// Where they begin.
    start: usize,
    records: u32,
    /// The database that was selected there.
    begins_in: Option<DbId>,
}

/// The records of a unit that has given way to others before its end.
#[derive(Debug, Default)]
pub struct HeldUnit {
    records: Vec<u8>,
    count: u32,
    begins_in: Option<DbId>,
    selected: Option<DbId>,
}

/// A part of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// Records of units, to be replayed one after another, whatever other shards' stretches hold.
    Records(Vec<u8>),
    /// One command for all keys of all shards: every shard has it at this point, and it is to be replayed once, behind all
    /// that the shards recorded before and ahead of all that they recorded after it.
    Whole(Vec<u8>),
}

/// A record made away from home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// Whose it is.
    pub owner: ShardId,
    db: DbId,
    /// It is for all keys of all shards.
    is_whole: bool,
    record: Vec<u8>,
}

impl HeldUnit {
    /// Whether nothing was recorded yet.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl Journal {
    /// Whether anything is recorded.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.mode != Mode::Off
    }

    /// Whether it is that of keys away from home.
    pub fn is_away(&self) -> bool {
        self.mode == Mode::Away
    }

    /// Begins to record.
    pub fn begin(&mut self) {
        assert!(self.mode != Mode::Away, "only a shard's own journal is read");
        self.mode = Mode::Home;
    }

    /// Nobody reads it any more: what it holds is forgotten.
    pub fn end(&mut self) {
        *self = Journal::default();
    }

    /// That of a place where keys come together, if this one is on.
    #[must_use]
    pub fn for_away(&self) -> Journal {
        Journal { mode: if self.is_on() { Mode::Away } else { Mode::Off }, ..Journal::default() }
    }

    /// Whether there is anything to be written.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.stretches.is_empty()
    }

    /// Takes out all that was recorded. No unit is open.
    pub fn take(&mut self) -> Vec<Stretch> {
        assert!(!self.open, "a unit is written whole");
        self.close_unit();
        if !self.records.is_empty() {
            let records = self.take_records();
            self.stretches.push(Stretch::Records(records));
        }
        std::mem::take(&mut self.stretches)
    }

    fn take_records(&mut self) -> Vec<u8> {
        std::mem::replace(&mut self.records, std::mem::take(&mut self.spare))
    }

    /// Records that were taken have been copied: their room is used again.
    pub fn give_back(&mut self, mut records: Vec<u8>) {
        records.clear();
        if self.is_on() && records.capacity() <= BYTES_KEPT {
            self.spare = records;
        }
    }

    /// What follows stands in a file of its own: it selects its database again.
    pub fn forget_selected(&mut self) {
        self.selected = None;
    }

    /// All commands from here to [`Self::close_work`] are one unit, which has begun with what is `held` of it.
    pub fn open_work(&mut self, held: HeldUnit) {
        self.open = self.is_on();
        let HeldUnit { records, count, begins_in, selected } = held;
        if let Some(db) = begins_in
            && self.open
        {
            self.begin_record(db);
            self.unit.records = count;
            self.records.extend_from_slice(&records);
            self.selected = selected;
        }
    }

    /// The commands that are one unit give way: what follows is no part of it. Returns what there is of it.
    #[must_use]
    pub fn hold_work(&mut self) -> HeldUnit {
        self.open = false;
        let Unit { start, records: count, begins_in } = std::mem::take(&mut self.unit);
        if count == 0 {
            return HeldUnit::default();
        }
        let records = self.records.split_off(start);
        HeldUnit { records, count, begins_in, selected: std::mem::replace(&mut self.selected, begins_in) }
    }

    /// The end of what [`Self::open_work`] began.
    pub fn close_work(&mut self) {
        self.open = false;
        self.close_unit();
    }

    /// The end of a unit, unless more commands of it follow.
    #[inline]
    pub fn close_unit(&mut self) {
        if self.unit.records > 0 && !self.open {
            self.wrap_unit();
        }
    }

    fn wrap_unit(&mut self) {
        let Unit { start, records, .. } = std::mem::take(&mut self.unit);
        if records > 1 {
            self.records.splice(start..start, MULTI.iter().copied());
            self.records.extend_from_slice(EXEC);
        }
    }

    /// The command that runs has told what it did, were it nothing.
    pub(super) fn tell(&mut self) {
        self.told = true;
    }

    /// Whether the command that ran has told what it did. Asked once, when it is over.
    pub(super) fn take_told(&mut self) -> bool {
        std::mem::take(&mut self.told)
    }

    /// Records a command on keys of `owner`.
    pub(super) fn put(&mut self, owner: ShardId, db: DbId, args: &Args<'_>) {
        self.append(owner, db, |records| put_args(records, args));
    }

    /// Records these words on keys of `owner`.
    pub(super) fn put_words(&mut self, owner: ShardId, db: DbId, words: &[Word<'_>]) {
        self.append(owner, db, |records| put_words(records, words));
    }

    /// Records that a key is gone though no command removed it.
    pub(crate) fn put_lost(&mut self, owner: ShardId, db: DbId, key: &[u8], is_lazy: bool) {
        if self.is_on() {
            self.put_words(owner, db, &[if is_lazy { "UNLINK" } else { "DEL" }.into(), key.into()]);
        }
    }

    /// Records that fields of a hash are gone though no command removed them.
    pub(crate) fn put_lost_fields(&mut self, owner: ShardId, db: DbId, key: &[u8], names: &[Vec<u8>]) {
        if self.is_on() {
            let head = ["HDEL".into(), key.into()];
            let words: Vec<Word<'_>> = head.into_iter().chain(names.iter().map(Word::from)).collect();
            self.put_words(owner, db, &words);
        }
    }

    fn append(&mut self, owner: ShardId, db: DbId, write: impl FnOnce(&mut Vec<u8>)) {
        match self.mode {
            Mode::Off => {}
            Mode::Home => {
                self.begin_record(db);
                write(&mut self.records);
            }
            Mode::Away => {
                let mut record = Vec::new();
                write(&mut record);
                self.away.push(Away { owner, db, is_whole: false, record });
            }
        }
    }

    fn begin_record(&mut self, db: DbId) {
        if self.selected != Some(db) {
            self.selected = Some(db);
            put_words(&mut self.records, &["SELECT".into(), i64::from(db.0).into()]);
        }
        if self.unit.records == 0 {
            self.unit.start = self.records.len();
            self.unit.begins_in = Some(db);
        }
        self.unit.records += 1;
    }

    /// Records a command for all keys of all shards.
    pub(super) fn put_whole(&mut self, owner: ShardId, db: DbId, args: &Args<'_>) {
        let mut record = Vec::new();
        put_args(&mut record, args);
        match self.mode {
            Mode::Off => {}
            Mode::Home => self.append_whole(db, &record),
            Mode::Away => self.away.push(Away { owner, db, is_whole: true, record }),
        }
    }

    /// A stretch of its own, even in the middle of a unit: that goes on in the next stretch.
    fn append_whole(&mut self, db: DbId, record: &[u8]) {
        if self.unit.records > 0 {
            self.wrap_unit();
        }
        if !self.records.is_empty() {
            let records = self.take_records();
            self.stretches.push(Stretch::Records(records));
        }
        let mut whole = Vec::new();
        put_words(&mut whole, &["SELECT".into(), i64::from(db.0).into()]);
        whole.extend_from_slice(record);
        self.stretches.push(Stretch::Whole(whole));
        self.selected = None;
    }

    /// Takes out what was recorded here of one shard's keys.
    pub fn take_away_of(&mut self, owner: ShardId) -> Vec<Away> {
        self.away.extract_if(.., |record| record.owner == owner).collect()
    }

    /// Takes out all that was recorded away from home.
    pub fn take_away(&mut self) -> Vec<Away> {
        std::mem::take(&mut self.away)
    }

    /// Keys are back, and with them what was recorded of them.
    pub fn take_in(&mut self, away: Vec<Away>) {
        // What comes back with them was told where it happened.
        self.told = self.is_on();
        match self.mode {
            Mode::Off => {}
            Mode::Away => self.away.extend(away),
            Mode::Home => {
                for Away { db, is_whole, record, .. } in away {
                    if is_whole {
                        self.append_whole(db, &record);
                    } else {
                        self.begin_record(db);
                        self.records.extend_from_slice(&record);
                    }
                }
                self.close_unit();
            }
        }
    }
}
