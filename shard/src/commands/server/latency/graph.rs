//! LATENCY GRAPH: samples as columns of characters, with their age written downwards below.

use std::fmt::Write as _;

use crate::stats::latency::LatencySeries;

/// Lines of the picture.
const ROWS: usize = 4;

/// Columns of one line.
const COLUMNS_MAX: usize = 80;

/// The top of a column, from low to high within its line; below it stands a bar.
const TOPS: [char; 3] = ['_', 'o', '#'];

/// The picture of the samples of the event called `name`.
pub(super) fn draw(name: &str, series: &LatencySeries, now_seconds: i64) -> String {
    let millis = || series.samples().iter().map(|sample| sample.millis);
    let (low, high) = (millis().min().unwrap_or(0), millis().max().unwrap_or(0));
    let worst = series.worst_millis();
    let mut text = String::new();
    writeln!(text, "{name} - high {high} ms, low {low} ms (all time high {worst} ms)")
        .expect("a String takes any text");
    text.push_str(&"-".repeat(COLUMNS_MAX));
    text.push('\n');
    let columns: Vec<[char; ROWS]> = millis().map(|value| column(value, low, high)).collect();
    let ages: Vec<String> = series.samples().iter().map(|sample| age((now_seconds - sample.second).max(0))).collect();
    for (columns, ages) in columns.chunks(COLUMNS_MAX).zip(ages.chunks(COLUMNS_MAX)) {
        for row in 0..ROWS {
            text.extend(columns.iter().map(|column| column[row]));
            text.push('\n');
        }
        text.push('\n');
        for line in 0..ages.iter().map(String::len).max().unwrap_or(0) {
            text.extend(ages.iter().map(|age| age.as_bytes().get(line).map_or(' ', |byte| char::from(*byte))));
            text.push('\n');
        }
        text.push('\n');
    }
    text
}

/// One column, from top to bottom.
fn column(value: u64, low: u64, high: u64) -> [char; ROWS] {
    let steps = ROWS * TOPS.len();
    let height = ((value - low) as f64 / (high - low).max(1) as f64 * steps as f64) as usize;
    let height = height.min(steps - 1);
    std::array::from_fn(|row| {
        let ground = (ROWS - 1 - row) * TOPS.len();
        match height.checked_sub(ground) {
            None => ' ',
            Some(above) => TOPS.get(above).copied().unwrap_or('|'),
        }
    })
}

/// An age in the largest unit that it fills.
fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}
