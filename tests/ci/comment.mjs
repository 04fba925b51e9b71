// Runs the script of reconciler-comment.yml with a GitHub that only remembers. Reads {script, event, pulls, comments}
// from standard input, and prints what was done as JSON.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const given = JSON.parse(readFileSync(0, 'utf8'))
const done = { calls: [], failed: [] }
const call = (name) => async (options) => { done.calls.push([name, options]) }
const list = (name) => async (options) => { done.calls.push([name, options]); return given[name] }
const github = {
  rest: {
    pulls: { list: list('pulls') },
    issues: {
      listComments: list('comments'), createComment: call('create'), updateComment: call('update'),
    },
  },
  paginate: (method, options) => method(options),
}
const context = { repo: { owner: 'isd', repo: 'fleet' }, payload: { workflow_run: given.event } }
const core = { info() {}, setFailed: (message) => done.failed.push(message) }
const Script = Object.getPrototypeOf(async () => {}).constructor
await new Script('github', 'context', 'core', 'require', given.script)(
  github, context, core, createRequire(import.meta.url))
console.log(JSON.stringify(done))
