using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Lm.Journal.Tests")]
