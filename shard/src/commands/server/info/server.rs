//! Server, Clients, CPU, Cluster.

use xxhash_rust::xxh3::xxh3_64;

use super::share::{CoreShare, Totals};
use super::text::Report;
use crate::commands::server::state::micros_since_1970;
use crate::config::Config;
use crate::core::SessionCtx;
use crate::os::{self, CpuOf, CpuTime, cpu_time};
use crate::tracking::Registry;
use crate::version::{REDIS_VERSION, TESSERA_VERSION};

const SECONDS_PER_DAY: i64 = 86_400;

pub(super) fn server(ctx: &SessionCtx<'_>, report: &mut Report) {
    let (config, shared) = (ctx.config(), &ctx.core.shared);
    let uptime = (ctx.now().0 - shared.started_at.0).max(0) / 1000;
    report.line("redis_version", REDIS_VERSION);
    report.line("redis_git_sha1", "00000000");
    report.line("redis_git_dirty", 0);
    report.line("redis_build_id", format_args!("{:x}", xxh3_64(TESSERA_VERSION.as_bytes())));
    report.line("tessera_version", TESSERA_VERSION);
    report.line("redis_mode", if config.cluster_enabled { "cluster" } else { "standalone" });
    report.line("os", os::name());
    report.line("arch_bits", usize::BITS);
    report.line("monotonic_clock", "quanta");
    report.line("multiplexing_api", "io_uring");
    report.line("atomicvar_api", "rust-std");
    report.line("gcc_version", "0.0.0");
    report.line("process_id", std::process::id());
    report.line("process_supervised", "no");
    report.line("run_id", &shared.run_id);
    report.line("tcp_port", config.port);
    report.line("server_time_usec", micros_since_1970(ctx));
    report.line("uptime_in_seconds", uptime);
    report.line("uptime_in_days", uptime / SECONDS_PER_DAY);
    report.line("hz", config.hz);
    report.line("configured_hz", config.hz);
    report.line("lru_clock", (ctx.now().0 / 1000) & 0x00FF_FFFF);
    report.line("executable", &shared.executable);
    let file = config.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
    report.line("config_file", file);
    report.line("io_threads_active", 0);
    report.line("shards", shared.shards());
}

pub(super) fn clients(config: &Config, totals: &Totals, trackers: &Registry, report: &mut Report) {
    let clients = &totals.clients;
    report.line("connected_clients", clients.connected);
    report.line("cluster_connections", 0);
    report.line("maxclients", config.maxclients);
    report.line("client_recent_max_input_buffer", clients.input_bytes_max);
    report.line("client_recent_max_output_buffer", clients.output_bytes_max);
    report.line("blocked_clients", clients.blocked);
    report.line("tracking_clients", trackers.clients());
    report.zeros(&["clients_in_timeout_table"]);
    report.zeros(&["total_blocking_keys", "total_blocking_keys_on_nokey"]);
}

/// The main thread is that of the first shard.
pub(super) fn cpu(shares: &[CoreShare], report: &mut Report) {
    let main = shares.first().map(|share| share.cpu).unwrap_or_default();
    write_cpu(report, "", cpu_time(CpuOf::Process));
    write_cpu(report, "_children", cpu_time(CpuOf::Children));
    write_cpu(report, "_main_thread", main);
}

fn write_cpu(report: &mut Report, whose: &str, time: CpuTime) {
    report.line(&format!("used_cpu_sys{whose}"), seconds(time.system_micros));
    report.line(&format!("used_cpu_user{whose}"), seconds(time.user_micros));
}

/// Seconds with six digits behind the point.
pub(super) fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

pub(super) fn cluster(config: &Config, report: &mut Report) {
    report.line("cluster_enabled", u8::from(config.cluster_enabled));
}
