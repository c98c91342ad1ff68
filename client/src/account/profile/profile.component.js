import template from './profile.component.html?raw'

const FIELDS = ['name', 'locale', 'timezone', 'theme', 'uses']
const LOCALES = ['en', 'de', 'es', 'fr', 'it', 'nl', 'pl', 'pt', 'sv', 'tr', 'uk', 'ar', 'hi', 'ja', 'ko', 'zh']

class ProfileController {
  static $inject = ['Me', 'session', 'toast']

  constructor(Me, session, toast) {
    Object.assign(this, { Me, session, toast })
    this.fields = {}
    this.timezones = Intl.supportedValuesOf('timeZone')
    const names = new Intl.DisplayNames(navigator.language, { type: 'language' })
    this.locales = LOCALES.map((code) => ({ code, words: names.of(code) }))
  }

  $onInit() {
    this.take(this.session.me)
    if (!this.timezones.includes(this.form.timezone)) this.timezones = [this.form.timezone, ...this.timezones]
    if (!LOCALES.includes(this.form.locale)) this.locales.unshift({ code: this.form.locale, words: this.form.locale })
  }

  $onDestroy() {
    // A theme that was only tried is taken back.
    this.session.showTheme(this.session.me?.theme)
  }

  take(me) {
    this.form = { name: me.name, locale: me.locale, timezone: me.timezone, theme: me.theme }
    this.works = me.uses.includes('work')
    this.requests = me.uses.includes('request')
  }

  save() {
    this.busy = true
    this.problem = null
    const uses = [this.works && 'work', this.requests && 'request'].filter(Boolean)
    return this.Me.update({}, { ...this.form, uses })
      .$promise.then(
        (me) => {
          this.session.setMe(me)
          this.take(me)
          this.fields = {}
          this.toast.say('Saved.')
        },
        (problem) => {
          this.fields = problem.fields
          if (!FIELDS.some((field) => problem.fields[field])) this.problem = problem
        },
      )
      .finally(() => (this.busy = false))
  }
}

/** What others see of the user, and how the client looks to them. */
export const ghProfile = { template, controller: ProfileController }
