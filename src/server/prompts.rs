//! Prompts: what a person can ask for by name. They say what to do with the tools; the tools say the rest.

use rmcp::ErrorData;
use rmcp::model::{
    CacheScope, CompletionInfo, GetPromptResult, JsonObject, ListPromptsResult, Prompt, PromptArgument, PromptMessage,
    Role,
};
use serde_json::Value;

use super::{improve, resources};
use crate::error::{Error, Result};
use crate::site::Site;
use crate::site::resource::Wanted;

/// What there is.
const NAMES: &str = "write_page, review_changes, reflect, improvement_brief, verify_release";
/// The list never changes while a server runs.
const TTL_MS: u64 = 3_600_000;
/// Longest argument.
const LONGEST: usize = 4_000;

pub(super) fn list() -> ListPromptsResult {
    let argument = |name: &str, required: bool, about: &str| {
        PromptArgument::new(name).with_required(required).with_description(about)
    };
    let write = vec![
        argument("about", true, "What the page is about, or what to change"),
        argument("page", false, "A page that exists (/blog/hello/ or blog/hello.md), to rewrite it"),
        argument("section", false, "Where a new page goes, such as blog"),
    ];
    let brief = vec![argument("id", false, "A brief's id, such as br-0007; without it all are listed")];
    let review = vec![argument("path", false, "Only this page or folder; everything unpublished otherwise")];
    let prompts = vec![
        Prompt::new("write_page", Some("Write a new page, or rewrite one, up to a preview."), Some(write))
            .with_title("Write a page"),
        Prompt::new("review_changes", Some("Look through what is unpublished before it goes live."), Some(review))
            .with_title("Review unpublished changes"),
        Prompt::new("reflect", Some("Look back at a task: what hurt, beside what was measured."), None)
            .with_title("Reflect on friction"),
        Prompt::new("improvement_brief", Some("Hand a brief to a code agent, or see which there are."), Some(brief))
            .with_title("Improvement brief"),
        Prompt::new("verify_release", Some("Walk through a new release of the server."), None)
            .with_title("Verify a release"),
    ];
    ListPromptsResult::with_all_items(prompts).with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Private)
}

pub(super) fn get(site: &Site, name: &str, arguments: Option<&JsonObject>) -> Result<GetPromptResult, ErrorData> {
    let text = match name {
        "write_page" => {
            let [about, page, section] = take(arguments, ["about", "page", "section"])?;
            let Some(about) = about else {
                return Err(wrong("about", "it is missing", "\"about\": \"our new opening hours\""));
            };
            write_page(&about, page.as_deref(), section.as_deref())
        }
        "review_changes" => {
            let [path] = take(arguments, ["path"])?;
            review_changes(path.as_deref())
        }
        "reflect" => {
            let [] = take(arguments, [])?;
            improve::reflect(site).map_err(resources::refused)?
        }
        "improvement_brief" => {
            let [id] = take(arguments, ["id"])?;
            improve::brief_prompt(site, id.as_deref()).map_err(resources::refused)?
        }
        "verify_release" => {
            let [] = take(arguments, [])?;
            improve::verify_release()
        }
        _ => {
            let message = format!("no prompt `{}`; there are {NAMES}", resources::short(name));
            return Err(ErrorData::invalid_params(message, None));
        }
    };
    Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]))
}

/// Completions of a prompt's argument.
pub(super) fn complete(site: &Site, name: &str, argument: &str, word: &str) -> Result<CompletionInfo, ErrorData> {
    if (name, argument) == ("improvement_brief", "id") {
        return improve::complete(site, word);
    }
    let wanted = match (name, argument) {
        ("write_page", "page") => Wanted::Page,
        ("write_page", "section") => Wanted::Section,
        ("review_changes", "path") => Wanted::Change,
        _ => return Ok(CompletionInfo::default()),
    };
    resources::words(site, wanted, word)
}

fn write_page(about: &str, page: Option<&str>, section: Option<&str>) -> String {
    let place = section.map_or_else(
        || "Choose the section it belongs to from site_get.".to_owned(),
        |section| format!("It goes into the section {section}."),
    );
    let task = if let Some(page) = page {
        format!(
            "Rewrite the page {page} of this site.\n\n1. Read it with page_get (include body, front_matter, backlinks).\n\
            2. Change it with one page_write: edits where a few sentences change, body with if_match where most does."
        )
    } else {
        format!(
            "Write a new page for this site.\n\n1. Look at the site with site_get, and at two or three pages of the section with \
            page_get, for tone, length, front matter and terms. {place}\n2. Write it with one page_write: create: true, a content \
            path, and front_matter with title, description and the terms its neighbours use."
        )
    };
    format!(
        "{task}\n3. Link it to pages that exist, by content path; mend every diagnostic of the reply that names this page.\n\
        4. Look at it with preview (as: text), and show me its address.\n\nDo not publish: I want to read it first.\n\nIt is about: {about}"
    )
}

fn review_changes(path: Option<&str>) -> String {
    let (what, paths) = match path {
        Some(path) => (format!("what is unpublished in {path}"), format!(" with paths: [\"{path}\"]")),
        None => ("everything that is unpublished".to_owned(), String::new()),
    };
    format!(
        "Review {what} on this site before it goes live.\n\n1. change_list says which paths changed, by whom and why; those with hand_edit are \
        a person's own.\n2. Read the text of each with change_diff{paths} (as: words).\n3. Look at the pages with preview (as: text), and at \
        the diagnostics of publish with dry_run: true.\n\nTell me per page, in a line or two: what changed, what is wrong (facts, links, \
        spelling, tone, what was lost by accident), and whether it can go live. Change and publish nothing until I answer."
    )
}

/// The arguments by name; others are refused.
fn take<const N: usize>(arguments: Option<&JsonObject>, names: [&str; N]) -> Result<[Option<String>; N], ErrorData> {
    let empty = JsonObject::new();
    let arguments = arguments.unwrap_or(&empty);
    if let Some(unknown) = arguments.keys().find(|key| !names.contains(&key.as_str())) {
        return Err(wrong(&resources::short(unknown), "there is no such argument", &names.join(", ")));
    }
    let mut taken = [const { None }; N];
    for (slot, name) in taken.iter_mut().zip(names) {
        *slot = match arguments.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.len() > LONGEST => {
                return Err(wrong(name, "it is longer than 4,000 bytes", "a sentence or two"));
            }
            Some(Value::String(text)) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Some(_) => return Err(wrong(name, "it is no text", "\"/blog/hello/\"")),
        };
    }
    Ok(taken)
}

fn wrong(field: &str, problem: &str, example: &str) -> ErrorData {
    resources::refused(Error::InvalidArguments {
        field: field.into(),
        problem: problem.into(),
        example: example.into(),
    })
}
