import '@fontsource-variable/inter/wght.css'
import '@fontsource-variable/source-serif-4/wght.css'
import angular from 'angular'
import 'angular/angular-csp.css'
import './shared/tokens.css'
import './shared/base.css'
import { account } from './account/account.module.js'
import { core } from './core/core.module.js'
import { home } from './home/home.module.js'
import { ledger } from './ledger/ledger.module.js'
import { messages } from './messages/messages.module.js'
import { notifications } from './notifications/notifications.module.js'
import { projects } from './projects/projects.module.js'
import { results } from './results/results.module.js'
import { reviews } from './reviews/reviews.module.js'
import { shared } from './shared/shared.module.js'
import { work } from './work/work.module.js'

// The features. A new one is a folder with a module of its own, imported above and named here.
const features = [home, work, projects, reviews, results, ledger, messages, notifications, account]

const app = angular.module('guildhall', [core.name, shared.name, ...features.map((feature) => feature.name)])

angular.bootstrap(document.documentElement, [app.name], { strictDi: true })
