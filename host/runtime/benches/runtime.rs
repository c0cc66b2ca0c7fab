//! What a run costs. Figures and how to read them: `BENCHMARKS.md`.

#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use model::{Price, Timestamp};
use runtime::{
    Bar, Cause, Feed, Grants, InlineInstance, Limits, LiveInstance, Loaded, Profile, Role, RunInfo, Runtime,
    RuntimeOptions,
};
use support::{Fake, fixture, info};

const NOW: Timestamp = Timestamp::from_nanos(0);

fn load(profile: Profile, bytes: &[u8]) -> Loaded {
    let runtime = Runtime::new(RuntimeOptions::new(profile)).expect("runtime");
    runtime.load(bytes, Grants::of(Role::Trader), Limits::default()).expect("loads")
}

fn inline(bytes: &[u8]) -> InlineInstance {
    InlineInstance::new(load(Profile::Deterministic, bytes), Arc::new(Fake::default()), info())
}

fn runs(c: &mut Criterion) {
    let tokio = tokio::runtime::Builder::new_current_thread().build().expect("tokio");
    let idle = fixture("idle", "trader");
    let mut group = c.benchmark_group("run");

    let mut instance = inline(&idle);
    let run_info = info();
    group.bench_function("fresh, inline", |b| {
        b.iter(|| {
            instance.new_day();
            black_box(instance.run(run_info.clone(), NOW, &Cause::Scheduled))
        });
    });
    group.bench_function("resident, inline", |b| {
        b.iter(|| black_box(instance.run(run_info.clone(), NOW, &Cause::Scheduled)));
    });

    let mut instance = LiveInstance::new(load(Profile::Live, &idle), Arc::new(Fake::default()));
    group.bench_function("fresh, live", |b| {
        b.iter(|| {
            instance.new_day();
            black_box(tokio.block_on(instance.run(run_info.clone(), NOW, Cause::Scheduled)))
        });
    });
    group.bench_function("resident, live", |b| {
        b.iter(|| black_box(tokio.block_on(instance.run(run_info.clone(), NOW, Cause::Scheduled))));
    });
    group.finish();
}

fn candles(c: &mut Criterion) {
    let mut instance = inline(&fixture("candles", "trader"));
    let run_info = info();
    let mut group = c.benchmark_group("candles");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("1,000 bars of one symbol, with the run", |b| {
        b.iter(|| black_box(instance.run(run_info.clone(), NOW, &Cause::Scheduled)));
    });
    group.finish();
}

fn bars(c: &mut Criterion) {
    let price = Price::from_rupees(100);
    let bar = Bar { start: NOW, open: price, high: price, low: price, close: price, volume: 10 };
    let mut group = c.benchmark_group("bar");
    group.throughput(Throughput::Elements(1));
    let mut instance = inline(&fixture("idle", "trader"));
    group.bench_function("empty guest", |b| {
        b.iter(|| black_box(instance.bar(NOW, 0, black_box(&bar)).expect("runs")));
    });
    let mut instance = inline(bundle::EMA_CROSS);
    let feed = Feed { symbol: "TCS".into(), interval: market::Interval::Minute };
    instance.set_info(RunInfo { feeds: Arc::from([feed]), ..info() });
    group.bench_function("ema-cross, no orders", |b| {
        b.iter(|| black_box(instance.bar(NOW, 0, black_box(&bar)).expect("runs")));
    });
    group.finish();
}

fn load_component(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("folder");
    let options =
        RuntimeOptions { cache_dir: Some(folder.path().to_owned()), ..RuntimeOptions::new(Profile::Live) };
    let cached = Runtime::new(options).expect("runtime");
    let plain = Runtime::new(RuntimeOptions::new(Profile::Live)).expect("runtime");
    let mut group = c.benchmark_group("load");
    group.sample_size(10);
    let load = |runtime: &Runtime| {
        runtime.load(bundle::SELL, Grants::of(Role::Sell), Limits::default()).expect("loads")
    };
    group.bench_function("sell, compiled", |b| b.iter(|| black_box(load(&plain))));
    load(&cached);
    group.bench_function("sell, from the cache", |b| b.iter(|| black_box(load(&cached))));
    group.finish();
}

criterion_group!(benches, runs, candles, bars, load_component);
criterion_main!(benches);
