//! Persistence, Stats, Replication, Shards, Keyspace.

use std::sync::atomic::Ordering;

use super::server::seconds;
use super::share::{CoreShare, Totals};
use super::text::Report;
use crate::core::SessionCtx;
use crate::pubsub::Kind as Subscription;
use crate::snapshot::Kind;

/// What a fork would have copied is what was saved ahead of changes here.
pub(super) fn persistence(ctx: &SessionCtx<'_>, totals: &Totals, report: &mut Report) {
    let shared = &ctx.core.shared;
    let hub = &shared.snapshots;
    let (current, last, loading) = (hub.current(), hub.last(), hub.loading());
    let ahead = current.as_ref().map_or(0, |job| job.ahead_bytes.load(Ordering::Relaxed));
    let done = current.as_ref().map_or(0, |job| job.keys_done.load(Ordering::Relaxed));
    let all = current.as_ref().map_or(0, |job| job.keys_total.load(Ordering::Relaxed));
    let background = current.filter(|job| job.kind == Kind::Background);
    report.line("loading", u8::from(loading.is_some()));
    report.zeros(&["async_loading"]);
    report.line("current_cow_peak", ahead);
    report.line("current_cow_size", ahead);
    report.zeros(&["current_cow_size_age"]);
    report.line("current_fork_perc", format!("{:.2}", done as f64 * 100.0 / all.max(1) as f64));
    report.line("current_save_keys_processed", done);
    report.line("current_save_keys_total", all);
    report.line("rdb_changes_since_last_save", hub.unsaved_changes(totals.counters.dirty));
    report.line("rdb_bgsave_in_progress", u8::from(background.is_some()));
    report.line("rdb_last_save_time", shared.last_save_seconds.load(Ordering::Relaxed));
    report.line("rdb_last_bgsave_status", if last.succeeded { "ok" } else { "err" });
    report.line("rdb_last_bgsave_time_sec", last.seconds);
    let seconds = background.map_or(-1, |job| (ctx.now().0 - job.began.0).max(0) / 1000);
    report.line("rdb_current_bgsave_time_sec", seconds);
    report.line("rdb_saves", last.saves);
    report.line("rdb_last_cow_size", last.ahead_bytes);
    let (loaded, expired) = hub.last_load();
    report.line("rdb_last_load_keys_expired", expired);
    report.line("rdb_last_load_keys_loaded", loaded);
    append_only_files(ctx, report);
    if let Some(loading) = loading {
        let (total, read) = (loading.total_bytes, loading.loaded_bytes());
        let millis = (ctx.now().0 - loading.began.0).max(1) as u64;
        report.line("loading_start_time", loading.began.0 / 1000);
        report.line("loading_total_bytes", total);
        report.zeros(&["loading_rdb_used_mem"]);
        report.line("loading_loaded_bytes", read);
        report.line("loading_loaded_perc", format!("{:.2}", read as f64 * 100.0 / total.max(1) as f64));
        report.line("loading_eta_seconds", total.saturating_sub(read) * millis / read.max(1) / 1000);
    }
}

fn append_only_files(ctx: &SessionCtx<'_>, report: &mut Report) {
    let shared = &ctx.core.shared;
    let (log, status) = (&shared.log, shared.log.status());
    let said = |is_good| if is_good { "ok" } else { "err" };
    report.line("aof_enabled", u8::from(log.is_on()));
    report.line("aof_rewrite_in_progress", u8::from(shared.is_rewriting()));
    report.line("aof_rewrite_scheduled", u8::from(log.is_rewrite_wanted() && !shared.is_rewriting()));
    report.line("aof_last_rewrite_time_sec", status.rewrite_seconds);
    let seconds = status.rewriting_since.map_or(-1, |since| (ctx.now().0 / 1000 - since).max(0));
    report.line("aof_current_rewrite_time_sec", seconds);
    report.line("aof_last_bgrewrite_status", said(status.rewrite_succeeded));
    report.line("aof_rewrites", status.rewrites);
    report.line("aof_rewrites_consecutive_failures", status.failures);
    report.line("aof_last_write_status", said(!log.refuses_writes()));
    report.zeros(&["aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"]);
    if log.is_on() {
        report.line("aof_current_size", log.bytes());
        report.line("aof_base_size", log.bytes_at_rewrite());
        report.zeros(&["aof_pending_rewrite"]);
        report.line("aof_buffer_length", log.buffered.load(Ordering::Relaxed));
        report.line("aof_pending_bio_fsync", log.pending_syncs.load(Ordering::Relaxed));
        report.line("aof_delayed_fsync", log.delayed_syncs.load(Ordering::Relaxed));
        report.line("aof_writes", log.writes.load(Ordering::Relaxed));
        report.line("aof_fsyncs", log.syncs.load(Ordering::Relaxed));
    }
}

pub(super) fn stats(ctx: &SessionCtx<'_>, totals: &Totals, report: &mut Report) {
    let (stats, rates, counters) = (&totals.stats, &totals.rates, &totals.counters);
    let kilobytes = |bytes: u64| format!("{:.2}", bytes as f64 / 1024.0);
    report.line("total_connections_received", stats.connections);
    report.line("total_commands_processed", stats.commands_processed);
    report.line("instantaneous_ops_per_sec", rates.ops);
    report.line("total_net_input_bytes", stats.received_bytes);
    report.line("total_net_output_bytes", stats.sent_bytes);
    report.zeros(&["total_net_repl_input_bytes", "total_net_repl_output_bytes"]);
    report.line("instantaneous_input_kbps", kilobytes(rates.input_bytes));
    report.line("instantaneous_output_kbps", kilobytes(rates.output_bytes));
    report.line("instantaneous_input_repl_kbps", "0.00");
    report.line("instantaneous_output_repl_kbps", "0.00");
    report.line("rejected_connections", ctx.core.shared.refused_clients.load(Ordering::Relaxed));
    report.zeros(&["sync_full", "sync_partial_ok", "sync_partial_err"]);
    report.line("expired_keys", counters.expired_keys);
    report.line("expired_subkeys", counters.expired_fields);
    report.line("expired_stale_perc", "0.00");
    report.line("expired_time_cap_reached_count", stats.expire_cut_short);
    report.line("expire_cycle_cpu_milliseconds", stats.expire_micros / 1000);
    report.line("evicted_keys", counters.evicted_keys);
    report.line("evicted_clients", stats.evicted_clients);
    let (exceeded_now, exceeded) = ctx.core.shared.budget.exceeded_micros(ctx.core.micros());
    report.line("total_eviction_exceeded_time", exceeded / 1000);
    report.line("current_eviction_exceeded_time", exceeded_now / 1000);
    report.line("keyspace_hits", counters.hits);
    report.line("keyspace_misses", counters.misses);
    let registry = &ctx.core.shared.registry;
    report.line("pubsub_channels", registry.names(Subscription::Channel));
    report.line("pubsub_patterns", registry.names(Subscription::Pattern));
    report.line("pubsubshard_channels", registry.names(Subscription::ShardChannel));
    report.zeros(&["latest_fork_usec", "total_forks"]);
    report.line("migrate_cached_sockets", ctx.core.shared.dialogues.cache.len());
    report.zeros(&["slave_expires_tracked_keys"]);
    report.zeros(&["active_defrag_hits", "active_defrag_misses", "active_defrag_key_hits", "active_defrag_key_misses"]);
    report.zeros(&["total_active_defrag_time", "current_active_defrag_time"]);
    let trackers = &ctx.core.shared.trackers;
    report.line("tracking_total_keys", trackers.keys());
    report.line("tracking_total_items", trackers.items());
    report.line("tracking_total_prefixes", trackers.prefixes());
    report.zeros(&["unexpected_error_replies"]);
    report.line("total_error_replies", stats.error_replies);
    report.zeros(&["dump_payload_sanitizations"]);
    report.line("total_reads_processed", stats.reads);
    report.line("total_writes_processed", stats.writes);
    report.zeros(&["io_threaded_reads_processed", "io_threaded_writes_processed"]);
    report.line("client_query_buffer_limit_disconnections", stats.query_limit_disconnections);
    report.line("client_output_buffer_limit_disconnections", stats.output_limit_disconnections);
    report.zeros(&["reply_buffer_shrinks", "reply_buffer_expands"]);
    report.line("eventloop_cycles", stats.ticks);
    report.line("eventloop_duration_sum", stats.tick_micros);
    let denied = &ctx.core.shared.acl.counts;
    report.line("acl_access_denied_auth", denied.auth.load(Ordering::Relaxed));
    report.line("acl_access_denied_cmd", denied.command.load(Ordering::Relaxed));
    report.line("acl_access_denied_key", denied.key.load(Ordering::Relaxed));
    report.line("acl_access_denied_channel", denied.channel.load(Ordering::Relaxed));
}

/// A master without replicas.
pub(super) fn replication(ctx: &SessionCtx<'_>, report: &mut Report) {
    let id = ctx.core.shared.replication_id.lock().expect("no one panics while reading an id").clone();
    report.line("role", "master");
    report.line("connected_slaves", 0);
    report.line("master_failover_state", "no-failover");
    report.line("master_replid", id);
    report.line("master_replid2", "0".repeat(40));
    report.line("master_repl_offset", 0);
    report.line("second_repl_offset", -1);
    report.line("repl_backlog_active", 0);
    report.line("repl_backlog_size", ctx.config().repl_backlog_size);
    report.zeros(&["repl_backlog_first_byte_offset", "repl_backlog_histlen"]);
}

/// How the work is spread over the cores.
pub(super) fn shards(shares: &[CoreShare], report: &mut Report) {
    for share in shares {
        let dataset: usize = share.memory.databases.iter().map(|(_, memory)| memory.total()).sum();
        let line = format!(
            "keys={},expires={},dataset_bytes={dataset},clients={},commands={},ops_per_sec={},messages={},pushes_put_off={},\
             holds={},held_us={},ticks={},used_cpu_user={},used_cpu_sys={}",
            share.keys(),
            share.expires(),
            share.clients.connected,
            share.stats.commands_processed,
            share.rates.ops,
            share.stats.messages,
            share.stats.put_off,
            share.stats.holds,
            share.stats.held_micros,
            share.stats.ticks,
            seconds(share.cpu.user_micros),
            seconds(share.cpu.system_micros),
        );
        report.line(&format!("shard{}", share.id.0), line);
    }
}

pub(super) fn keyspace(totals: &Totals, report: &mut Report) {
    for (db, database) in totals.databases.iter().enumerate().filter(|(_, database)| database.keys > 0) {
        let (keys, expires, ttl) = (database.keys, database.expires, database.avg_ttl_millis);
        report.line(&format!("db{db}"), format_args!("keys={keys},expires={expires},avg_ttl={ttl}"));
    }
}
