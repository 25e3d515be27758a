/// Makes tests of async functions that take [`Backends`](super::Backends): one with Postgres alone
/// and one with Redis beside it. They have a thread for the test and others for what goes on
/// meanwhile.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod on_postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name($crate::fleet::Backends::Postgres).await;
                }
            )+
        }
        mod on_postgres_and_redis {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name($crate::fleet::Backends::PostgresAndRedis).await;
                }
            )+
        }
    };
}
pub(crate) use on_both;
