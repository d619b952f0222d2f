import { signal } from '@preact/signals';

/** What stands above a dashboard: known once its definition is. */
export const dashboardTitle = signal('Dashboard');
