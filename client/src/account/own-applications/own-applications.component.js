import { SCOPES } from '../scopes.js'
import template from './own-applications.component.html?raw'

const BLANK = { name: '', client_type: 'public', redirects: '', code: true, credentials: false, scopes: {} }

class OwnApplicationsController {
  static $inject = ['Application', 'toast', 'pages']

  constructor(Application, toast, pages) {
    Object.assign(this, { Application, toast, pages, scopes: Object.entries(SCOPES).map(([id, words]) => ({ id, words })) })
  }

  $onInit() {
    this.load()
  }

  load() {
    this.problem = null
    return this.Application.query().$promise.then(
      (applications) => (this.applications = applications),
      (problem) => (this.problem = problem),
    )
  }

  more() {
    this.loadingMore = true
    this.pages
      .more(this.applications)
      .then((applications) => (this.applications = applications))
      .catch((problem) => this.toast.failed('Could not show more.', problem))
      .finally(() => (this.loadingMore = false))
  }

  edit(application) {
    this.editing = application ?? {}
    this.fields = {}
    this.formProblem = null
    this.form = application
      ? {
          name: application.name,
          client_type: application.client_type,
          redirects: application.redirect_uris.join('\n'),
          code: application.grant_types.includes('authorization_code'),
          credentials: application.grant_types.includes('client_credentials'),
          scopes: Object.fromEntries((application.scopes ?? []).map((scope) => [scope, true])),
        }
      : { ...BLANK, scopes: {} }
  }

  body() {
    const { form } = this
    const confidential = form.client_type === 'confidential'
    return {
      name: form.name,
      client_type: form.client_type,
      grant_types: [form.code && 'authorization_code', confidential && form.credentials && 'client_credentials'].filter(Boolean),
      redirect_uris: form.redirects.split(/\s+/).filter(Boolean),
      scopes: Object.keys(form.scopes).filter((scope) => form.scopes[scope]),
    }
  }

  save() {
    const { id } = this.editing
    const body = this.body()
    this.busy = true
    // The type of an application is fixed when it is made, as its secret is.
    if (id) delete body.client_type
    const call = id ? this.Application.update({ id }, body) : this.Application.create({}, body)
    return call.$promise
      .then(
        (saved) => {
          this.editing = null
          this.secret = saved.client_secret ? saved : null
          this.toast.say(id ? 'Saved.' : `${saved.name} is registered.`)
          return this.load()
        },
        (problem) => {
          this.fields = byField(problem)
          this.formProblem = Object.keys(problem.fields).length ? null : problem
        },
      )
      .finally(() => (this.busy = false))
  }

  remove() {
    const application = this.removing
    this.busy = true
    this.Application.delete({ id: application.id })
      .$promise.then(
        () => {
          this.toast.say(`${application.name} is gone, and its tokens with it.`)
          return this.load()
        },
        (problem) => this.toast.failed('It could not be deleted.', problem),
      )
      .finally(() => {
        this.busy = false
        this.removing = null
      })
  }
}

/** `redirect_uris.1` is a complaint about the whole box of addresses. */
function byField(problem) {
  const fields = {}
  for (const { field, detail } of problem.errors) fields[field.split('.')[0]] ??= detail
  return fields
}

/** OAuth2 applications that the user has registered. */
export const ghOwnApplications = { template, controller: OwnApplicationsController }
