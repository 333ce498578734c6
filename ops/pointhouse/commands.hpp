#pragma once

#include "command_line.hpp"

namespace pointhouse::ops {

// One file per command; each declares its options and what it does.
void declare_init(CLI::App& app, Invocation& invocation);
void declare_serve(CLI::App& app, Invocation& invocation);
void declare_house(CLI::App& app, Invocation& invocation);
void declare_partner(CLI::App& app, Invocation& invocation);
void declare_partner_exit(CLI::App& group, Invocation& invocation);
void declare_promotion(CLI::App& app, Invocation& invocation);
void declare_cert(CLI::App& app, Invocation& invocation);
void declare_replay(CLI::App& app, Invocation& invocation);
void declare_replay_invoice(CLI::App& app, Invocation& invocation);
void declare_demo(CLI::App& app, Invocation& invocation);
void declare_clock(CLI::App& app, Invocation& invocation);
void declare_import(CLI::App& app, Invocation& invocation);
void declare_window(CLI::App& app, Invocation& invocation);
void declare_calendar(CLI::App& app, Invocation& invocation);
void declare_close(CLI::App& app, Invocation& invocation);
void declare_estimate(CLI::App& app, Invocation& invocation);
void declare_approve(CLI::App& app, Invocation& invocation);
void declare_settle(CLI::App& app, Invocation& invocation);
void declare_dispute(CLI::App& app, Invocation& invocation);
void declare_bank(CLI::App& app, Invocation& invocation);
void declare_fx(CLI::App& app, Invocation& invocation);
void declare_reconcile(CLI::App& app, Invocation& invocation);
void declare_verify(CLI::App& app, Invocation& invocation);
void declare_rebuild(CLI::App& app, Invocation& invocation);
void declare_backup(CLI::App& app, Invocation& invocation);
void declare_restore(CLI::App& app, Invocation& invocation);
void declare_export(CLI::App& app, Invocation& invocation);
void declare_export_gl(CLI::App& group, Invocation& invocation);
void declare_report(CLI::App& app, Invocation& invocation);
void declare_bench(CLI::App& app, Invocation& invocation);

} // namespace pointhouse::ops
