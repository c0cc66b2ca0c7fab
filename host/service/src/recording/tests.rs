use std::path::Path;
use std::sync::mpsc;

use model::{Date, Timestamp};
use runtime::tape::{Call, End, Ended, Function, Tape, TapeSink as _};
use runtime::{Cause, Grants, Limits, Loaded, Mode, Profile, Role, RunInfo, Runtime, RuntimeOptions};

use super::*;

fn loaded() -> Loaded {
    let runtime = Runtime::new(RuntimeOptions::new(Profile::Deterministic)).expect("a runtime");
    let bytes = bundle::find("monitor").expect("shipped").bytes;
    runtime.load(bytes, Grants::of(Role::Monitor), Limits::default()).expect("loads")
}

fn date(day: u32) -> Date {
    Date::from_ymd_opt(2026, 1, day).expect("a date")
}

fn tape(day: u32, minute: u32, loaded: &Loaded, answer: &str) -> Tape {
    let day = date(day);
    let id = model::RunId::from(format!("monitor@{day}T10:{minute:02}:00"));
    Tape {
        info: RunInfo {
            id: id.clone(),
            task: "monitor".to_owned(),
            origin: model::Origin {
                account: "main".into(),
                strategy: "monitor".into(),
                component: loaded.hash().clone(),
                run: id,
                day,
            },
            scheduled: Timestamp::at_ist(day, 10, minute),
            mode: Mode::Paper,
            attempt: 1,
            for_session: None,
            feeds: std::sync::Arc::from([]),
            params: std::sync::Arc::default(),
        },
        now: Timestamp::at_ist(day, 10, minute),
        cause: Cause::Scheduled,
        component: loaded.hash().clone(),
        grants: loaded.grants().clone(),
        limits: *loaded.limits(),
        nth: u64::from(minute),
        calls: vec![Call {
            function: Function::Positions,
            arguments: "null".to_owned(),
            answer: answer.to_owned(),
        }],
        end: End { ended: Ended::Done(None), state: Vec::new(), log_dropped: 0, host_calls: 1 },
    }
}

fn read(folder: &Path, day: u32) -> (Vec<Tape>, Torn) {
    let (runs, torn) = Folder::read(&folder.join(format!("{}.runs", date(day)))).expect("readable");
    (runs.into_iter().map(|run| run.tape).collect(), torn)
}

#[test]
fn what_is_written_is_read_and_a_long_answer_is_there_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let loaded = loaded();
    // Pseudo-random, so that compression does not hide a second copy.
    let mut rng = model::clock::Rng::new(1);
    let long: String = (0..4_000).map(|_| format!("{:016x}", rng.next_u64())).collect();
    let mut writer = Writer::new(folder.path(), None).expect("a writer");
    let first = tape(5, 0, &loaded, &long);
    writer.write(first.clone(), loaded.bytes()).expect("written");
    let path = folder.path().join("2026-01-05.runs");
    let one = std::fs::metadata(&path).expect("there").len();
    let second = tape(5, 1, &loaded, &long);
    writer.write(second.clone(), loaded.bytes()).expect("written");
    assert!(std::fs::metadata(&path).expect("there").len() < one + 2_000, "the second refers to the first");
    assert_eq!(read(folder.path(), 5), (vec![first.clone(), second.clone()], Torn(false)));
    assert_eq!(&Folder::component(folder.path(), loaded.hash()).expect("kept")[..], &loaded.bytes()[..]);

    // A record that was not written to its end, and a new life of the host.
    drop(writer);
    let whole = std::fs::read(&path).expect("bytes");
    std::fs::write(&path, &whole[..whole.len() - 1]).expect("torn");
    assert_eq!(read(folder.path(), 5), (vec![first.clone()], Torn(true)));
    let mut writer = Writer::new(folder.path(), None).expect("a writer");
    writer.write(second.clone(), loaded.bytes()).expect("written");
    assert_eq!(read(folder.path(), 5), (vec![first, second], Torn(false)));
}

/// Where a power cut came between a file's length and its data there are zeros.
#[test]
fn what_a_power_cut_left_is_as_good_as_not_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let loaded = loaded();
    let mut rng = model::clock::Rng::new(1);
    let long: String = (0..400).map(|_| format!("{:016x}", rng.next_u64())).collect();
    let path = folder.path().join("2026-01-05.runs");
    let [first, second] = [tape(5, 0, &loaded, "null"), tape(5, 1, &loaded, &long)];
    let mut whole = Vec::new();
    for tape in [&first, &second] {
        let mut writer = Writer::new(folder.path(), None).expect("a writer");
        writer.write(tape.clone(), loaded.bytes()).expect("written");
        whole.push(std::fs::read(&path).expect("bytes"));
    }
    let mut behind = whole[0].clone();
    behind.resize(behind.len() + 10_000, 0);
    let mut within = whole[1].clone();
    let end = within.len();
    within[end - 600..].fill(0);
    for left in [behind, within] {
        std::fs::write(&path, &left).expect("written");
        assert_eq!(read(folder.path(), 5), (vec![first.clone()], Torn(true)));
        let mut writer = Writer::new(folder.path(), None).expect("a writer");
        writer.write(second.clone(), loaded.bytes()).expect("written");
        assert_eq!(read(folder.path(), 5), (vec![first.clone(), second.clone()], Torn(false)));
    }
    // One altered byte is no power cut.
    let mut altered = whole[1].clone();
    altered[end - 1] ^= 1;
    std::fs::write(&path, &altered).expect("written");
    assert!(matches!(Folder::read(&path), Err(RecordingError::Damaged { index: 1, .. })));
}

#[test]
fn the_journal_has_the_room_that_is_left() {
    let folder = tempfile::tempdir().expect("a folder");
    let loaded = loaded();
    let keep = Keep { days: 2, bytes: 8 << 20, spare: u64::MAX };
    let mut writer = Writer::new(folder.path(), Some(keep)).expect("a writer");
    let full = writer.write(tape(5, 0, &loaded, "null"), loaded.bytes());
    assert!(matches!(full, Err(RecordingError::NoRoom { .. })), "{full:?}");
    assert_eq!(read(folder.path(), 5), (vec![], Torn(false)));
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_in_the_place_of_a_day_holds_nobody_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("2026-01-05.runs");
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a pipe");
    assert!(matches!(Folder::read(&path), Err(RecordingError::Io { .. })));
}

#[test]
fn old_days_go_with_what_only_they_ran() {
    let folder = tempfile::tempdir().expect("a folder");
    let loaded = loaded();
    let keep = Keep { days: 2, bytes: 8 << 20, spare: 0 };
    let mut writer = Writer::new(folder.path(), Some(keep)).expect("a writer");
    let mut stranger = tape(5, 0, &loaded, "null");
    stranger.component = blake3::hash(b"another").to_hex().as_str().into();
    writer.write(stranger, b"another").expect("written");
    for day in [6, 7] {
        writer.write(tape(day, 0, &loaded, "null"), loaded.bytes()).expect("written");
    }
    let days: Vec<Date> =
        Folder::days(folder.path()).expect("days").into_iter().map(|(day, _)| day).collect();
    assert_eq!(days, [date(6), date(7)]);
    let components = std::fs::read_dir(folder.path().join("components")).expect("a folder");
    assert_eq!(components.count(), 1, "the other component went with its day");

    // A day that alone is more than may be kept ends by itself.
    let small = Keep { days: 9, bytes: 2_000, spare: 0 };
    let mut writer = Writer::new(folder.path(), Some(small)).expect("a writer");
    let mut rng = model::clock::Rng::new(1);
    let long: String = (0..400).map(|_| format!("{:016x}", rng.next_u64())).collect();
    let full = writer.write(tape(8, 0, &loaded, &long), loaded.bytes());
    assert!(matches!(full, Err(RecordingError::Full { .. })), "{full:?}");
    let left = Folder::days(folder.path()).expect("days");
    assert!(left.iter().all(|(day, _)| *day == date(8)), "the older ones made room: {left:?}");
}

#[test]
fn a_full_queue_drops_and_does_not_wait() {
    let loaded = loaded();
    let (go, wait) = mpsc::channel::<()>();
    let (tell, begun) = mpsc::channel::<()>();
    let (done, written) = mpsc::channel::<Tape>();
    let recorder = Recorder::with(1, move |tape, _| {
        let _ = tell.send(());
        // Like a disk that hangs, until the test lets it go on.
        let _ = wait.recv();
        let _ = done.send(tape);
        Ok(())
    })
    .expect("a recorder");
    recorder.take(tape(5, 0, &loaded, "null"), &loaded);
    begun.recv().expect("the disk is busy");
    // One waits; the others are dropped, at once.
    for minute in 1..=4 {
        recorder.take(tape(5, minute, &loaded, "null"), &loaded);
    }
    assert_eq!(recorder.lost(), 3);
    drop(go);
    drop(recorder);
    let kept: Vec<u64> = written.iter().map(|tape| tape.nth).collect();
    assert_eq!(kept, [0, 1]);
}

#[test]
fn a_disk_that_cannot_be_written_costs_recordings_only() {
    let loaded = loaded();
    let recorder = Recorder::with(8, |_, _| {
        Err(RecordingError::Io { path: "full".into(), source: std::io::Error::other("no space left") })
    })
    .expect("a recorder");
    let lost = std::sync::Arc::new(recorder);
    for minute in 0..3 {
        lost.take(tape(5, minute, &loaded, "null"), &loaded);
    }
    while lost.lost() < 3 {
        std::thread::yield_now();
    }
}
