//! Memory.

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
    scripts(report);
    report.line("maxmemory", config.maxmemory);
    report.line("maxmemory_human", human(config.maxmemory));
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
    report.zeros(&["mem_not_counted_for_evict", "mem_replication_backlog", "mem_total_replication_buffers"]);
    report.zeros(&["mem_clients_slaves"]);
    report.line("mem_clients_normal", totals.memory.clients);
    report.zeros(&["mem_cluster_links", "mem_aof_buffer"]);
    report.line("mem_allocator", memory::allocator_name());
    report.zeros(&["active_defrag_running"]);
    report.line("lazyfree_pending_objects", totals.garbage);
    report.line("lazyfreed_objects", totals.counters.lazyfreed_objects);
}

/// There are no scripts and no functions.
fn scripts(report: &mut Report) {
    report.zeros(&["used_memory_lua", "used_memory_vm_eval"]);
    report.line("used_memory_lua_human", human(0));
    report.zeros(&["used_memory_scripts_eval", "number_of_cached_scripts", "number_of_functions"]);
    report.zeros(&["number_of_libraries", "used_memory_vm_functions", "used_memory_vm_total"]);
    report.line("used_memory_vm_total_human", human(0));
    report.zeros(&["used_memory_functions", "used_memory_scripts"]);
    report.line("used_memory_scripts_human", human(0));
}
