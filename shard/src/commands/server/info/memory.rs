//! Memory.

use std::sync::atomic::Ordering;

use super::share::Totals;
use super::text::{Report, human};
use crate::commands::server::memory::Account;
use crate::config::Named;
use crate::core::SessionCtx;
use crate::{memory, os};

pub(super) fn memory(ctx: &SessionCtx<'_>, totals: &Totals, report: &mut Report) {
    let account = Account::of(&ctx.core.shared, totals.memory.clone());
    let config = ctx.config();
    report.bytes("used_memory", account.used());
    report.bytes("used_memory_rss", account.resident);
    report.bytes("used_memory_peak", account.peak);
    report.line("used_memory_peak_perc", format_args!("{:.2}%", account.peak_percentage()));
    report.line("used_memory_overhead", account.overhead());
    report.line("used_memory_startup", account.startup);
    report.line("used_memory_dataset", account.dataset());
    report.line("used_memory_dataset_perc", format_args!("{:.2}%", account.dataset_percentage()));
    report.line("allocator_allocated", account.allocator.allocated);
    report.line("allocator_active", account.allocator.active);
    report.line("allocator_resident", account.allocator.resident);
    report.bytes("total_system_memory", os::memory_bytes() as usize);
    scripts(ctx, report);
    report.line("maxmemory", config.maxmemory_bytes());
    report.line("maxmemory_human", human(config.maxmemory_bytes()));
    report.line("maxmemory_policy", config.maxmemory_policy.name());
    let excesses = [
        ("allocator_frag_ratio", "allocator_frag_bytes", account.fragmentation_of_allocator()),
        ("allocator_rss_ratio", "allocator_rss_bytes", account.resident_of_allocator()),
        ("rss_overhead_ratio", "rss_overhead_bytes", account.resident_elsewhere()),
        ("mem_fragmentation_ratio", "mem_fragmentation_bytes", account.fragmentation()),
    ];
    for (ratio, bytes, (factor, excess)) in excesses {
        report.line(ratio, format_args!("{factor:.2}"));
        report.line(bytes, excess);
    }
    report.line("mem_counted_for_evict", account.counted);
    report.zeros(&["mem_not_counted_for_evict", "mem_replication_backlog", "mem_total_replication_buffers"]);
    report.zeros(&["mem_clients_slaves"]);
    report.line("mem_clients_normal", totals.memory.clients);
    report.zeros(&["mem_cluster_links", "mem_aof_buffer"]);
    report.line("mem_allocator", memory::allocator_name());
    report.zeros(&["active_defrag_running"]);
    report.line("lazyfree_pending_objects", totals.garbage);
    report.line("lazyfreed_objects", totals.counters.lazyfreed_objects);
}

/// Scripts and functions, and the Lua states of the core whose states are largest, as many times as there are cores.
fn scripts(ctx: &SessionCtx<'_>, report: &mut Report) {
    let registry = &ctx.core.shared.scripts;
    let libraries = registry.libraries();
    let (scripts, script_bytes) = registry.scripts();
    let [eval, functions] = [0, 1].map(|kind| registry.vm_bytes[kind].load(Ordering::Relaxed));
    let (vms, sources) = (eval + functions, script_bytes + libraries.source_bytes());
    report.line("used_memory_lua", eval);
    report.line("used_memory_vm_eval", eval);
    report.line("used_memory_lua_human", human(eval as u64));
    report.line("used_memory_scripts_eval", script_bytes);
    report.line("number_of_cached_scripts", scripts);
    report.line("number_of_functions", libraries.functions());
    report.line("number_of_libraries", libraries.all().len());
    report.line("used_memory_vm_functions", functions);
    report.line("used_memory_vm_total", vms);
    report.line("used_memory_vm_total_human", human(vms as u64));
    report.line("used_memory_functions", libraries.source_bytes());
    report.line("used_memory_scripts", sources);
    report.line("used_memory_scripts_human", human(sources as u64));
}
