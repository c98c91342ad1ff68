import template from './project-describe.component.html?raw'

/** "birds, birds , water" → ["birds", "water"] */
export function keywordsOf(text) {
  return [...new Set(text.split(',').map((word) => word.trim()).filter(Boolean))]
}

/** The step with title, summary, instructions and keywords. `html` is the server's rendering of the saved text. */
class ProjectDescribeController {
  $onChanges(changes) {
    if (!changes.version || this.version === this.said) return
    const { title, summary, instructions, keywords } = this.version
    this.draft = { title, summary, instructions }
    this.keywords = (keywords || []).join(', ')
  }

  changed(name) {
    this.said = this.onChange({ changes: { [name]: this.draft[name] || '' } })
  }

  keywordsChanged() {
    this.said = this.onChange({ changes: { keywords: keywordsOf(this.keywords) } })
  }

  keywordsProblem() {
    const found = Object.keys(this.errors || {}).find((field) => field.startsWith('keywords'))
    return found ? this.errors[found] : null
  }
}

export const ghProjectDescribe = {
  template,
  controller: ProjectDescribeController,
  bindings: { version: '<', html: '<', errors: '<', onChange: '&' },
}
