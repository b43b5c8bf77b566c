//! A failing sequence made short.

use super::steps::Step;

/// How often a sequence is tried, at most.
const TRIES_MAX: usize = 1500;

/// The shortest sequence found for which `fails` still says yes. `steps` fails at `last`.
pub fn shortest(steps: &[Step], last: usize, mut fails: impl FnMut(&[Step]) -> bool) -> Vec<Step> {
    let mut kept: Vec<Step> = steps[..=last.min(steps.len() - 1)].to_vec();
    if !fails(&kept) {
        return kept;
    }
    let mut tries = 0;
    let mut chunk = kept.len().div_ceil(2);
    loop {
        let before = kept.len();
        let mut at = 0;
        while at < kept.len() && tries < TRIES_MAX {
            let end = (at + chunk).min(kept.len());
            let candidate: Vec<Step> = kept[..at].iter().chain(&kept[end..]).cloned().collect();
            tries += 1;
            if !candidate.is_empty() && fails(&candidate) {
                kept = candidate;
            } else {
                at = end;
            }
        }
        if tries >= TRIES_MAX || (chunk == 1 && kept.len() == before) {
            break;
        }
        chunk = chunk.div_ceil(2).min(kept.len()).max(1);
    }
    // What is told about the difference is that of the sequence that is printed.
    fails(&kept);
    kept
}

#[test]
fn what_is_needed_is_left() {
    use super::steps::Manner;
    let step = |n: usize| Step { commands: vec![vec![n.to_string().into_bytes()]], manner: Manner::Plain };
    let steps: Vec<Step> = (0..200).map(step).collect();
    let number = |step: &Step| String::from_utf8_lossy(&step.commands[0][0]).parse::<usize>().unwrap();
    let kept = shortest(&steps, 180, |steps| {
        let numbers: Vec<usize> = steps.iter().map(number).collect();
        [3, 77, 180].iter().all(|needed| numbers.contains(needed))
    });
    assert_eq!(kept.iter().map(number).collect::<Vec<_>>(), [3, 77, 180]);
}
