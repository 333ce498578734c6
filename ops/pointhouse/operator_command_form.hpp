#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "operator_commands.hpp"

/// The words in which the list of operators' commands is written.
namespace pointhouse::ops::command_form {

using gateway::MediaType;
using gateway::ParameterForm;

using Parameters = std::vector<CommandParameter>;

inline constexpr std::string_view window_words = "A month, 2026-06";

[[nodiscard]] inline CommandParameter window()
{
    return {.parameter = {"window", ParameterForm::window, true, window_words}};
}

[[nodiscard]] inline CommandParameter text(std::string_view name, std::string_view description)
{
    return {.parameter = {name, ParameterForm::text, true, description}};
}

[[nodiscard]] inline CommandParameter text_option(
    std::string_view name,
    std::string_view option,
    std::string_view description,
    bool is_required = true)
{
    return {.parameter = {name, ParameterForm::text, is_required, description}, .option = option};
}

[[nodiscard]] inline CommandParameter window_option(std::string_view option)
{
    return {.parameter = {"window", ParameterForm::window, false, window_words}, .option = option};
}

[[nodiscard]] inline CommandParameter amount_option(
    std::string_view name, std::string_view option, std::string_view description, bool is_required)
{
    return {
        .parameter = {name, ParameterForm::integer, is_required, description},
        .option = option,
        .typed = Typed::minor};
}

/// Of what may come after the soft close of its window.
[[nodiscard]] inline CommandParameter late_reason()
{
    return text_option("reason", "--reason", "Why it comes after the window's soft close", false);
}

[[nodiscard]] inline OperatorCommand read(
    std::string_view words, std::string_view summary, Parameters parameters = {})
{
    return {.words = words, .summary = summary, .parameters = std::move(parameters)};
}

[[nodiscard]] inline OperatorCommand act(
    std::string_view words, std::string_view summary, Parameters parameters = {})
{
    return {
        .is_act = true, .words = words, .summary = summary, .parameters = std::move(parameters)};
}

/// The same, also as a page with a diagram.
[[nodiscard]] inline OperatorCommand with_pdf(OperatorCommand command)
{
    command.answers.push_back(MediaType::pdf);
    command.pdf_option = "--pdf";
    return command;
}

[[nodiscard]] inline OperatorCommand of_file(std::string_view words, std::string_view summary)
{
    OperatorCommand command = act(words, summary);
    command.file = MediaType::toml;
    return command;
}

/// Those about documents, nets, payments, the bank and disputes.
[[nodiscard]] std::vector<OperatorCommand> of_settlement();

} // namespace pointhouse::ops::command_form
